"""The verdict says what the front shows, and no more."""

from __future__ import annotations

import pytest

from compresskit.report.verdict import judge
from tests.report.runs import FULL, dense, front, point


def test_pruning_that_helps_names_the_fastest_point_within_one_point() -> None:
    verdict = judge(front(point(0, 2.0, 0.85), point(1, 4.0, 0.891), point(2, 6.0, 0.899), whole=dense()))
    assert (verdict.kind, verdict.idx) == ("helps", 1)
    assert "2.50\N{MULTIPLICATION SIGN} as fast, 0.90 points lost" in verdict.headline
    assert "three points" not in verdict.detail


def test_a_bolder_point_is_named_where_three_points_may_be_lost() -> None:
    verdict = judge(front(point(0, 2.0, 0.88), point(1, 4.0, 0.9), whole=dense()))
    assert verdict.idx == 1
    assert "at no loss" in verdict.headline
    assert "Where three points may be lost, point 0 takes 2.00 ms" in verdict.detail


def test_exactly_one_point_lost_is_within_one_point() -> None:
    assert judge(front(point(0, 4.0, 0.89), whole=dense())).kind == "helps"


def test_overlapping_intervals_are_no_help() -> None:
    verdict = judge(front(point(0, 9.0, 0.9, half_width=0.6), whole=dense(half_width=0.6)))
    assert verdict.kind == "none"
    assert verdict.headline == "Pruning does not help on this device."
    assert "9.00 ms" in verdict.detail and "10.0 ms" in verdict.detail


def test_the_whole_model_among_the_points_is_no_pruning() -> None:
    assert judge(front(point(0, 9.0, 0.9, FULL), whole=dense())).kind == "none"


def test_speed_at_too_high_a_cost_is_said() -> None:
    verdict = judge(front(point(0, 2.0, 0.6), point(1, 4.0, 0.85), whole=dense()))
    assert (verdict.kind, verdict.idx) == ("costs", 1)
    assert "5.00 points lost" in verdict.detail


def test_a_small_gain_in_speed_is_called_little() -> None:
    assert judge(front(point(0, 9.5, 0.9), whole=dense())).kind == "little"


def test_a_gain_in_the_metric_is_a_gain() -> None:
    assert "1.00 points gained" in judge(front(point(0, 4.0, 0.91), whole=dense())).headline


@pytest.mark.parametrize(
    "unknown",
    [
        front(point(0, 4.0, 0.9)),
        front(point(0, 4.0, 0.9), whole=dense(None)),
        front(point(0, None, 0.9), whole=dense()),
        front(point(0, 4.0, None), whole=dense()),
        front(whole=dense()),
    ],
)
def test_what_was_not_measured_gives_no_verdict(unknown: object) -> None:
    assert judge(unknown).kind == "unknown"  # type: ignore[arg-type]
