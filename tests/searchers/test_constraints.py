from __future__ import annotations

import itertools

import numpy as np
import pytest

from compresskit.searchers import Budget, make_searcher
from compresskit.searchers.constraints import UNBOUND, Constraints, feasible_first
from compresskit.searchers.loop import Evaluation, SearchProgress, run_search
from compresskit.spaces import make_space
from tests.contracts.searcher import DIMS, IMPOSSIBLE, OBJECTIVES, TIGHT, evaluation, search
from tests.runs.test_records import trial

BOTH = Constraints(max_latency_ms=5.0, min_metric=0.8)


def dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


def test_violation_is_what_is_missing() -> None:
    assert BOTH.violation(Evaluation(metric=0.8, latency_ms=5.0)) == 0
    assert BOTH.violation(Evaluation(metric=0.7, latency_ms=5.0)) == pytest.approx(0.1)
    assert BOTH.violation(Evaluation(metric=0.9, latency_ms=10.0)) == pytest.approx(0.5)
    assert BOTH.violation(Evaluation(metric=0.7, latency_ms=10.0)) == pytest.approx(0.6)
    assert BOTH.violation(Evaluation(metric=-0.9, latency_ms=None)) == 2.0
    assert UNBOUND.violation(Evaluation()) == 0


def test_drop_counts_in_points_from_dense() -> None:
    assert Constraints.relative(None, 1.5, 0.9).min_metric == pytest.approx(0.885)
    assert Constraints.relative(3.0, None, 0.9) == Constraints(3.0, None)
    assert not UNBOUND.are_set
    assert str(BOTH) == "a metric of at least 0.8000 and at most 5 ms"


def test_a_bound_that_is_met_exactly_is_kept_in_spite_of_rounding() -> None:
    assert Constraints.relative(None, 1, 0.9).violation(Evaluation(metric=0.89)) == 0


def test_what_is_no_better_than_one_answer_to_every_row_is_not_feasible() -> None:
    limits = Constraints.relative(None, None, 0.9, prior=0.6)
    assert not limits.are_set
    assert limits.violation(Evaluation(metric=0.601)) == 0
    assert limits.violation(Evaluation(metric=0.5)) > limits.violation(Evaluation(metric=0.6)) > 0
    assert limits.violation(Evaluation()) == 1
    assert str(limits) == "a metric above 0.6000 (the majority baseline)"
    assert str(Constraints(5.0, 0.8, 0.6)) == str(BOTH)


@pytest.mark.parametrize("seed", range(20))
def test_feasible_rows_dominate_all_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs = [(float(a), float(b)) for a, b in zip(rng.random(12), 1 + 20 * rng.random(12), strict=True)]
    violations = [float(v) for v in np.where(rng.random(12) < 0.4, 0, rng.random(12) + 1e-6)]
    found = feasible_first(costs, violations, OBJECTIVES)
    for i, j in itertools.permutations(range(12), 2):
        if violations[i] == 0:
            assert found[i] == costs[i]
        if violations[i] < violations[j]:
            assert dominates(found[i], found[j])
    kept = [cost for cost, violation in zip(costs, violations, strict=True) if not violation]
    if len(kept) > 1:  # not so far off that nothing else could be seen
        errors = [error for error, _ in kept]
        assert max(error for error, _ in found) <= max(errors) + 1.1 * np.ptp(errors)


def test_one_feasible_row_and_none() -> None:
    assert feasible_first([(0.5, 2.0), (0.1, 4.0)], [0.0, 0.5], OBJECTIVES)[0] == (0.5, 2.0)
    found = feasible_first([(0.5, 2.0), (0.1, 4.0)], [0.4, 0.5], OBJECTIVES)
    assert dominates(found[0], found[1])
    assert feasible_first([], [], OBJECTIVES) == []


def test_nearest_is_a_completed_trial() -> None:
    records = [
        trial(trial_id=0, metric=0.9, latency_ms=20.0),
        trial(trial_id=1, metric=0.7, latency_ms=4.0),
        trial(trial_id=2, metric=0.9, latency_ms=1.0, status="failed", error="no"),
    ]
    assert BOTH.nearest(records) == records[1]
    assert BOTH.feasible(records) == []
    assert BOTH.nearest([]) is None


@pytest.mark.parametrize("name", ["mo-rea", "local-search", "nsga2"])
def test_more_trials_are_feasible_than_without(name: str) -> None:
    space = make_space("medium", DIMS, unit_multiple=4)
    counts = {
        steered: sum(
            len(TIGHT.feasible(search(make_searcher(name, space, OBJECTIVES, seed), 60, constraints=limits)))
            for seed in range(4)
        )
        for steered, limits in ((False, UNBOUND), (True, TIGHT))
    }
    assert counts[True] > 1.3 * counts[False]


def test_a_search_goes_towards_what_it_has_not_found_yet() -> None:
    space = make_space("medium", DIMS, unit_multiple=4)
    best = []
    for limits in (UNBOUND, Constraints(max_latency_ms=1.0)):
        records = search(make_searcher("mo-rea", space, OBJECTIVES, 0), 60, constraints=limits)
        best.append(np.median([record.latency_ms or 0 for record in records[30:]]))
    assert best[1] < 0.7 * best[0]


def test_progress_shows_the_feasible_front_or_the_nearest() -> None:
    space = make_space("small", DIMS)
    shown: dict[str, list[SearchProgress]] = {"tight": [], "impossible": []}
    for name, limits in (("tight", TIGHT), ("impossible", IMPOSSIBLE)):
        run_search(
            lambda candidate: evaluation(space, candidate.architecture),
            space,
            make_searcher("random", space, OBJECTIVES, 0),
            budget=Budget(trials=20),
            clock=lambda: 0.0,
            on_trial=lambda record: None,
            on_progress=shown[name].append,
            constraints=limits,
        )
    assert shown["tight"][0].nearest is not None
    assert shown["tight"][0].nearest.trial_id == 0
    assert shown["tight"][-1].nearest is None
    assert all(not TIGHT.violation(record) for record in shown["tight"][-1].front)
    last = shown["impossible"][-1]
    assert (last.front, last.nearest and last.nearest.trial_id) == ((), 1)
