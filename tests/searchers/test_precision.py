"""Searchers over architectures in several precisions."""

from __future__ import annotations

import pytest

from compresskit.architecture import Candidate
from compresskit.runs import TrialRecord
from compresskit.searchers import Budget, Evaluation, make_searcher, run_search
from compresskit.searchers.front import build_front
from compresskit.spaces import PrecisionSpace, Space, make_space
from tests.contracts.searcher import DIMS, OBJECTIVES, evaluation

SEARCHERS = ["random", "mo-rea", "local-search", "nsga2", "ehvi"]


def both(name: str) -> PrecisionSpace:
    return PrecisionSpace(make_space(name, DIMS), ["fp32", "int8"])


def figures(space: Space, candidate: Candidate) -> Evaluation:
    """In int8 half the latency, for two points of metric."""
    base = evaluation(space, candidate.architecture)
    assert base.metric is not None
    assert base.latency_ms is not None
    if candidate.precision == "fp32":
        return base
    return Evaluation(base.metric - 0.02, base.latency_ms / 2, num_params=base.num_params)


def search(
    space: PrecisionSpace, name: str, trials: int, done: list[TrialRecord] | None = None
) -> list[TrialRecord]:
    return run_search(
        lambda candidate: figures(space, candidate),
        space,
        make_searcher(name, space, OBJECTIVES, 0),
        budget=Budget(trials=trials),
        clock=lambda: 0.0,
        on_trial=lambda record: None,
        completed=done or [],
    )


@pytest.mark.parametrize("name", SEARCHERS)
def test_both_precisions_are_tried_and_a_resumed_search_goes_on_alike(name: str) -> None:
    space = both("small")
    records = search(space, name, 16)
    assert len({record.candidate for record in records}) == 16
    assert {record.precision for record in records} == {"fp32", "int8"}
    assert [record.candidate for record in records[:2]] == [
        Candidate(space.full, "fp32"),
        Candidate(space.full, "int8"),
    ]
    assert search(space, name, 16, records[:9]) == records


def test_points_of_both_stand_on_one_front() -> None:
    front = build_front(search(both("small"), "random", 40), OBJECTIVES, "accuracy")
    assert {point.precision for point in front.points} == {"fp32", "int8"}
    assert len({point.signature for point in front.points}) < len(front.points)


def test_a_space_of_many_bits_is_resumed_from_its_candidates() -> None:
    space = both("large")
    records = search(space, "random", 10)
    assert {record.config is None for record in records} == {True}
    assert search(space, "random", 10, records[:7]) == records
