from __future__ import annotations

import numpy as np
import pytest

from compresskit.target.paired import BETWEEN, SLOPE_SPREAD, Rounds


def rounds_of(
    *, number: int = 40, slope: float = 1.0, state: float = 0.0, noise: float = 0.005, seed: int = 0
) -> Rounds:
    """A candidate of 5 ms beside a reference of 10 ms; now and then the machine is slower by `state`."""
    rng = np.random.default_rng(seed)
    loaded = state * np.tile(np.repeat([0, 1], 5), number)[: number + 1]
    reference = np.log(10) + loaded + noise * rng.standard_normal(number + 1)
    between = (loaded[1:] + loaded[:-1]) / 2
    candidate = np.log(5) + slope * between + noise * rng.standard_normal(number)
    return Rounds(candidate, reference[:-1], reference[1:])


def test_the_ratio_is_carried_to_the_level() -> None:
    middle, low, high = rounds_of().interval(20.0)
    assert middle == pytest.approx(10, rel=0.01)
    # Far from the level: by how much this graph moves with the reference is not known.
    assert (high - low) / 2 == pytest.approx(2.26 * SLOPE_SPREAD * np.log(2) * middle, rel=0.1)
    assert (high - low) / 2 > 2.26 * BETWEEN * middle
    assert rounds_of().half_width(20.0) < 0.005


@pytest.mark.parametrize("slope", [0.6, 1.0, 1.4])
def test_slope_is_learnt_where_the_machine_moves(slope: float) -> None:
    rounds = rounds_of(slope=slope, state=0.3)
    found, error = rounds.slope()
    assert found == pytest.approx(slope, abs=0.05)
    assert error < 0.05
    middle, low, high = rounds.interval(10.0)
    assert low <= 5 <= high
    assert middle == pytest.approx(5, rel=0.01)


def test_noise_does_not_flatten_the_slope() -> None:
    found = [rounds_of(noise=0.03, seed=seed).slope()[0] for seed in range(100)]
    assert np.mean(found) == pytest.approx(1, abs=0.02)
    assert np.std(found) < 0.1


def test_a_candidate_without_any_noise_has_no_error() -> None:
    flat = np.zeros(20)
    assert Rounds(flat, flat, flat).slope() == (1.0, SLOPE_SPREAD)
    state = np.tile([0.0, 0.0, 0.2, 0.2], 5)
    rounds = Rounds(0.5 * state, state, state)
    assert list(rounds.slope()) == pytest.approx([0.5, 0])


def test_rounds_near_the_level_are_taken_alone() -> None:
    """A graph that suffers twice as much as the reference: the rounds at the level do not need to know."""
    quiet = rounds_of(number=12, seed=1)
    loud = Rounds(np.log(9) + np.zeros(30), np.log(13) + np.zeros(30), np.log(13) + np.zeros(30))
    both = Rounds(
        *(
            np.concatenate([getattr(r, name) for r in (quiet, loud)])
            for name in ("candidate", "before", "after")
        )
    )
    middle, low, high = both.interval(10.0)
    assert middle == pytest.approx(5, rel=0.005)
    assert (high - low) / 2 / middle < 0.02
    few = Rounds(both.candidate[1:], both.before[1:], both.after[1:])
    assert few.interval(10.0)[0] > 6
