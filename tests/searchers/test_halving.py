from __future__ import annotations

import json

import numpy as np

from compresskit.searchers.halving import Halving, Rung
from tests.contracts.searcher import OBJECTIVES


def epochs_of(halving: Halving, costs: list[tuple[float, float]], most: int) -> list[int]:
    """How long each trial is trained, whose costs stay as they are."""
    found = []
    for trial_id, row in enumerate(costs):
        epochs = 1
        while halving.goes_on(Rung(trial_id, epochs, row)):
            epochs += 1
        assert epochs <= most
        found.append(epochs)
    return found


def test_the_first_trial_is_trained_to_the_end() -> None:
    assert epochs_of(Halving(OBJECTIVES, 5), [(0.5, 5.0)], 5) == [5]
    assert epochs_of(Halving(OBJECTIVES, 1), [(0.5, 5.0)] * 3, 1) == [1, 1, 1]


def test_a_trial_that_all_dominate_is_stopped_at_the_first_rung() -> None:
    better = [(0.1 + 0.01 * i, 2.0 - 0.1 * i) for i in range(6)]
    assert epochs_of(Halving(OBJECTIVES, 9), [*better, (0.9, 9.0)], 9)[-1] == 1


def test_a_trial_that_dominates_all_goes_on() -> None:
    worse = [(0.5 + 0.01 * i, 5.0 + i) for i in range(6)]
    assert epochs_of(Halving(OBJECTIVES, 9), [*worse, (0.1, 1.0)], 9)[-1] == 9


def test_between_rungs_nothing_is_decided() -> None:
    halving = Halving(OBJECTIVES, 9)
    epochs_of(halving, [(0.1, 1.0)], 9)
    assert halving.goes_on(Rung(1, 1, (0.05, 0.9)))
    assert halving.goes_on(Rung(1, 2, (0.9, 9.0)))
    assert not halving.goes_on(Rung(1, 3, (0.9, 9.0)))


def test_replayed_it_decides_as_an_unbroken_one() -> None:
    rng = np.random.default_rng(0)
    costs = [(float(a), float(b)) for a, b in rng.random((30, 2)) + 0.01]
    unbroken, rungs = Halving(OBJECTIVES, 9), []
    decisions = []
    for trial_id, row in enumerate(costs):
        for epochs in range(1, 10):
            rung = Rung(trial_id, epochs, tuple(cost / epochs for cost in row))
            rungs.append(rung)
            decisions.append(unbroken.goes_on(rung))
            if not decisions[-1]:
                break
    assert 30 < len(rungs) < 200
    half = len(rungs) // 2
    resumed = Halving(OBJECTIVES, 9)
    resumed.replay(Rung.from_json(json.loads(json.dumps(rung.to_json()))) for rung in rungs[:half])
    assert [resumed.goes_on(rung) for rung in rungs] == decisions


def test_a_failed_trial_leaves_the_others_alone() -> None:
    halving = Halving(OBJECTIVES, 9)
    halving.failed(0)
    assert epochs_of(halving, [(0.5, 5.0)], 9) == [9]


def test_numpys_global_generator_is_left_alone() -> None:
    before = repr(np.random.get_state())
    epochs_of(Halving(OBJECTIVES, 9), [(0.5, 5.0), (0.4, 6.0)], 9)
    assert repr(np.random.get_state()) == before
