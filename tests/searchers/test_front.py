from __future__ import annotations

import pytest

from compresskit.errors import ConfigurationError, SearchError
from compresskit.runs import Front
from compresskit.searchers import Constraints, build_front, make_objectives, select_point
from compresskit.searchers.front import shortfall, to_point
from tests.runs.test_records import trial

OBJECTIVES = make_objectives(["metric", "latency_ms"])
RECORDS = [
    trial(trial_id=0, metric=0.90, latency_ms=10.0),
    trial(trial_id=1, metric=0.50, latency_ms=1.0),
    trial(trial_id=2, metric=0.89, latency_ms=5.0),
    trial(trial_id=3, metric=0.88, latency_ms=6.0),
    trial(trial_id=4, metric=0.99, latency_ms=0.1, status="failed", error="no"),
    trial(trial_id=5, metric=0.80, latency_ms=3.0),
]


@pytest.fixture
def front() -> Front:
    return build_front(RECORDS, OBJECTIVES, "accuracy", to_point(RECORDS[0], "accuracy"))


def test_front_is_sorted_by_latency_without_dominated_and_failed(front: Front) -> None:
    assert [point.trial_id for point in front.points] == [1, 5, 2, 0]
    assert [point.idx for point in front.points] == [0, 1, 2, 3]
    assert front.objectives == ("metric", "latency_ms")
    assert front.dense is not None
    assert (front.dense.idx, front.dense.trial_id, front.dense.metric_name) == (None, 0, "accuracy")


def test_without_latency_the_smallest_comes_first() -> None:
    records = [
        trial(trial_id=0, latency_ms=None, num_params=500, metric=0.9),
        trial(trial_id=1, latency_ms=None, num_params=100, metric=0.5),
    ]
    found = build_front(records, make_objectives(["metric", "num_params"]), "accuracy")
    assert [point.trial_id for point in found.points] == [1, 0]


def test_under_constraints_it_lists_what_keeps_them() -> None:
    limits = Constraints(max_latency_ms=6.5, min_metric=0.6)
    found = build_front(RECORDS, OBJECTIVES, "accuracy", constraints=limits)
    assert [point.trial_id for point in found.points] == [5, 2]
    assert shortfall(RECORDS, limits, "accuracy", "Loosen them.") is None


def test_a_constraint_on_what_is_no_objective_may_keep_what_others_dominate() -> None:
    records = [
        trial(trial_id=0, metric=0.9, latency_ms=9.0, num_params=10),
        trial(trial_id=1, metric=0.8, latency_ms=3.0, num_params=20),
    ]
    objectives = make_objectives(["metric", "num_params"])
    found = build_front(records, objectives, "accuracy", constraints=Constraints(max_latency_ms=5.0))
    assert [point.trial_id for point in found.points] == [1]


def test_where_nothing_keeps_them_all_is_shown_and_the_nearest_named() -> None:
    limits = Constraints(max_latency_ms=2.0, min_metric=0.85)
    found = build_front(RECORDS, OBJECTIVES, "accuracy", constraints=limits)
    assert [point.trial_id for point in found.points] == [1, 5, 2, 0]
    said = shortfall(RECORDS, limits, "accuracy", "Loosen them.") or ""
    assert "a metric of at least 0.8500 and at most 2 ms; the nearest is trial 1: accuracy 0.5000" in said
    assert said.endswith("Loosen them.")
    assert shortfall([], limits, "accuracy", "") is None


def test_what_one_answer_to_every_row_matches_is_not_on_it() -> None:
    found = build_front(RECORDS, OBJECTIVES, "accuracy", constraints=Constraints(prior=0.5))
    assert [point.trial_id for point in found.points] == [5, 2, 0]
    said = shortfall(RECORDS, Constraints(prior=0.95), "accuracy", "Loosen them.") or ""
    assert "has a metric above 0.9500 (the majority baseline); the nearest is trial 0" in said
    assert said.endswith("a better dense model.")


def test_bounds_on_the_metric_give_the_fastest(front: Front) -> None:
    assert select_point(front, max_drop=1).trial_id == 2
    assert select_point(front, max_drop=0.99).trial_id == 0
    assert select_point(front, max_drop=0).trial_id == 0
    assert select_point(front, min_metric=0.6).trial_id == 5
    assert select_point(front, min_metric=0.6, max_drop=1, max_latency_ms=5.0).trial_id == 2


def test_a_bound_on_latency_alone_gives_the_best_metric(front: Front) -> None:
    assert select_point(front, max_latency_ms=9.9).trial_id == 2


def test_what_cannot_be_had_names_the_nearest(front: Front) -> None:
    with pytest.raises(
        SearchError, match=r"at least 0.9500.*The best metric: idx 3, accuracy 0.9000, 10.00 ms"
    ):
        select_point(front, min_metric=0.95)
    with pytest.raises(SearchError, match=r"at most 0.5 ms.*The fastest: idx 0, accuracy 0.5000, 1.00 ms"):
        select_point(front, max_latency_ms=0.5)
    with pytest.raises(SearchError, match=r"within that latency: idx 1.*with that metric: idx 2"):
        select_point(front, max_drop=1, max_latency_ms=4.0)


def test_constraints_that_make_no_sense_are_refused(front: Front) -> None:
    with pytest.raises(ConfigurationError, match="no constraint"):
        select_point(front)
    with pytest.raises(ConfigurationError, match="negative"):
        select_point(front, max_drop=-1)
    with pytest.raises(ConfigurationError, match="--min-metric"):
        select_point(Front(front.objectives, front.points), max_drop=1)


def test_points_are_chosen_by_their_worth() -> None:
    records = [
        trial(trial_id=0, metric=0.90, latency_ms=10.0, worth=0.94),
        trial(trial_id=1, metric=0.92, latency_ms=3.0, worth=0.88),  # labels flatter it
        trial(trial_id=2, metric=0.91, latency_ms=5.0, worth=0.915),
    ]
    found = build_front(records, OBJECTIVES, "accuracy")
    assert [point.trial_id for point in found.points] == [1, 2, 0]
    assert select_point(found, max_latency_ms=6.0).trial_id == 2
    assert select_point(found, min_metric=0.89).trial_id == 1  # a bound is on what is shown
