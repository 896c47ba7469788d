"""The verdict says what the front shows, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from compresskit.report.verdict import judge
from compresskit.runs import FrontPoint
from compresskit.runs.tested import OnTest
from tests.report.runs import FULL, dense, front, point

TIMES, MINUS = "\N{MULTIPLICATION SIGN}", "\N{MINUS SIGN}"


def test_pruning_that_helps_names_the_fastest_point_within_one_point() -> None:
    verdict = judge(front(point(0, 2.0, 0.85), point(1, 4.0, 0.891), point(2, 6.0, 0.899), whole=dense()))
    assert (verdict.kind, verdict.idx) == ("helps", 1)
    assert verdict.headline == (
        f"Pruning helps on this device: 2.50{TIMES} as fast, 0.9 points lost "
        "(95 % interval 0.4 to 1.4, 2,000 validation rows)."
    )
    assert "three points" not in verdict.detail


@pytest.mark.parametrize(
    ("metric", "lost", "rows", "said"),
    [
        (0.896, (-0.3, 1.1), 872, f"0.4 points lost (95 % interval {MINUS}0.3 to 1.1, 872 validation rows)"),
        (0.899, (-0.3, 0.4), 6712, f"no loss beyond 0.5 points (95 % interval {MINUS}0.30 to 0.40, 6,712 v"),
        (0.9, (-0.5, 0.5), 5000, f"no loss beyond 0.5 points (95 % interval {MINUS}0.5 to 0.5, 5,000 v"),
        (0.9, (-0.5, 0.6), 5000, f"0.0 points lost (95 % interval {MINUS}0.5 to 0.6, 5,000 v"),
        (0.91, (-2.2, 0.2), 2000, f"no loss beyond 0.5 points (95 % interval {MINUS}2.2 to 0.2, 2,000 v"),
        (0.91, (-2.8, 0.8), 900, f"1.0 points gained (95 % interval {MINUS}0.8 to 2.8, 900 v"),
        (0.91, (-1.5, -0.6), 4000, "1.00 points gained (95 % interval 0.60 to 1.50, 4,000 v"),
    ],
)
def test_a_loss_is_said_with_interval_and_rows(
    metric: float, lost: tuple[float, float], rows: int, said: str
) -> None:
    verdict = judge(front(point(0, 4.0, metric, lost=lost, rows=rows), whole=dense()))
    assert verdict.kind == "helps"
    assert said in verdict.headline


def test_few_rows_decide_nothing() -> None:
    """The run of 60 validation rows of whose front it was said: 12.4 times as fast, 3.33 points gained."""
    verdict = judge(front(point(0, 0.8, 0.933, lost=(-13.5, 6.7), rows=60), whole=dense()))
    assert (verdict.kind, verdict.idx) == ("undecided", 0)
    assert verdict.headline == "Not decided: 60 validation rows can show losses of 10 points at best."
    assert "3.3 points gained" in verdict.detail and "60 validation rows" in verdict.detail


def test_a_point_that_rows_decide_goes_before_a_faster_one_that_they_do_not() -> None:
    open_ = point(0, 2.0, 0.9, lost=(-4.0, 4.0))
    verdict = judge(front(open_, point(1, 4.0, 0.9), whole=dense()))
    assert (verdict.kind, verdict.idx) == ("helps", 1)


@pytest.mark.parametrize("metric", [0.178, 0.511])
def test_a_dense_model_at_the_majority_baseline_is_no_measure(metric: float) -> None:
    """The run whose label names are in another order, of which it was said: 4.61 times as fast, no loss."""
    whole = dense(metric=metric)
    fast = point(0, 2.17, metric, lost=(-0.1, 0.1))
    verdict = judge(front(fast, whole=whole), {"prior_metric": 0.511})
    assert (verdict.kind, verdict.idx) == ("baseline", None)
    assert verdict.headline == "No verdict: the dense model is no better than the majority baseline."
    assert f"{100 * metric:.2f}" in verdict.detail and "51.10" in verdict.detail
    assert "order of the labels" in verdict.detail


def test_the_advice_fits_tasks_without_names_of_classes() -> None:
    verdict = judge(front(point(0, 4.0, 0.4), whole=dense(metric=0.4)), {"prior_metric": 0.5, "labels": []})
    assert verdict.headline == "No verdict: the dense model is no better than the constant baseline."
    assert "(the same answer to every row) is 50.00" in verdict.detail
    assert "order of the labels" not in verdict.detail and "text columns" in verdict.detail


def test_a_dense_model_that_may_be_no_better_than_one_answer_is_no_measure_yet() -> None:
    whole = replace(dense(metric=0.55), metric_ci=(0.45, 0.65), rows=60)
    verdict = judge(front(point(0, 4.0, 0.55, lost=(-0.1, 0.1)), whole=whole), {"prior_metric": 0.511})
    assert verdict.kind == "undecided"
    assert "was not shown to be better than the majority baseline" in verdict.headline
    known = judge(front(point(0, 4.0, 0.9), whole=dense()), {"prior_metric": 0.511})
    assert known.kind == "helps"


def test_nothing_is_praised_where_the_run_says_infeasible() -> None:
    note = "no architecture that was tried has at most 1 ms; the nearest is trial 3. Loosen the limits."
    verdict = judge(front(point(0, 4.0, 0.9), whole=dense()), {"infeasible": note, "prior_metric": 0.5})
    assert (verdict.kind, verdict.idx) == ("infeasible", None)
    assert verdict.headline == "No point keeps what the search was asked for."
    assert verdict.detail == f"N{note[1:]}"


def test_a_bolder_point_is_named_where_three_points_may_be_lost() -> None:
    verdict = judge(front(point(0, 2.0, 0.88), point(1, 4.0, 0.9), whole=dense()))
    assert verdict.idx == 1
    assert "no loss beyond 0.5 points" in verdict.headline
    assert "Where three points may be lost: point 0 takes 2.00 ms" in verdict.detail


def test_exactly_one_point_lost_is_within_one_point() -> None:
    assert judge(front(point(0, 4.0, 0.89), whole=dense())).kind == "helps"


def test_overlapping_intervals_decide_nothing() -> None:
    verdict = judge(front(point(0, 9.0, 0.9, half_width=0.6), whole=dense(half_width=0.6)))
    assert verdict.kind == "undecided"
    assert verdict.headline == "Not decided: no speed-up was shown, and none was ruled out."
    assert "9.00 ms" in verdict.detail and "10.0 ms" in verdict.detail


@pytest.mark.parametrize("latency", [9.9, 10.5])
def test_no_speed_up_is_no_help(latency: float) -> None:
    verdict = judge(front(point(0, latency, 0.9, half_width=0.1), whole=dense(half_width=0.1)))
    assert verdict.kind == "none"
    assert verdict.headline == "Pruning does not help on this device."


def test_the_speed_up_of_pairs_goes_before_that_of_two_medians() -> None:
    far = point(0, 4.0, 0.9, speedup=1.3, speedup_ci=(0.95, 1.7))
    assert judge(front(far, whole=dense())).kind == "undecided"
    near = point(0, 9.9, 0.9, half_width=0.5, speedup=1.3, speedup_ci=(1.2, 1.4))
    verdict = judge(front(near, whole=dense(half_width=0.5)))
    assert verdict.kind == "helps"
    assert f"1.30{TIMES} as fast" in verdict.headline
    assert "95 % interval of the speed-up 1.20 to 1.40" in verdict.detail


def test_the_whole_model_among_the_points_is_no_pruning() -> None:
    assert judge(front(point(0, 9.0, 0.9, FULL), whole=dense())).kind != "helps"


@pytest.mark.parametrize("busy", ["point", "dense"])
def test_a_busy_machine_decides_nothing(busy: str) -> None:
    marks: dict[str, Any] = {"marks": ("others took 31 % of the measuring time",)}
    found = [point(0, 4.0, 0.9), dense()]
    found[busy == "dense"] = replace(found[busy == "dense"], **marks)
    verdict = judge(front(found[0], whole=found[1]))
    assert (verdict.kind, verdict.idx) == ("undecided", 0)
    assert verdict.headline == "Not decided: the machine was busy when this was measured."
    assert verdict.detail.startswith("Others took 31 % of the measuring time. Point 0 takes 4.00 ms")
    slow = judge(front(replace(point(0, 9.9, 0.9), **marks), whole=dense()))
    assert "the machine was busy" in slow.headline


def test_a_point_without_marks_goes_before_a_faster_one_with_them() -> None:
    marked = replace(point(0, 2.0, 0.9), marks=("busy",))
    verdict = judge(front(marked, point(1, 4.0, 0.9), whole=dense()))
    assert (verdict.kind, verdict.idx) == ("helps", 1)


def test_speed_at_too_high_a_cost_is_said() -> None:
    verdict = judge(front(point(0, 2.0, 0.6), point(1, 4.0, 0.85), whole=dense()))
    assert (verdict.kind, verdict.idx) == ("costs", 1)
    assert verdict.headline == (
        f"Pruning is faster on this device, at a cost: 2.50{TIMES} as fast, 5.0 points lost "
        "(95 % interval 4.5 to 5.5, 2,000 validation rows)."
    )
    few = judge(front(point(0, 4.0, 0.85, lost=(-2.0, 12.0), rows=60), whole=dense()))
    assert few.headline == "Not decided: 60 validation rows can show losses of 7 points at best."


def test_a_small_gain_in_speed_is_called_little() -> None:
    assert judge(front(point(0, 9.5, 0.9), whole=dense())).kind == "little"


def with_test(*lost: float, rows: int = 1821, changed: str = "") -> FrontPoint:
    """A point that loses nothing on validation, and on test (low, middle, high) points."""
    low, middle, high = lost
    ends = (-high / 100, -low / 100)
    found = OnTest(0, changed, 0.9 - middle / 100, (0.8, 0.9), rows, "ONNX Runtime", 0.9, ends)
    return replace(point(0, 4.0, 0.9), test=found)


def test_test_rows_decide_where_they_are_known() -> None:
    helps = judge(front(with_test(-0.2, 0.6, 1.4), whole=dense()))
    assert helps.kind == "helps"
    assert f"0.6 points lost (95 % interval {MINUS}0.2 to 1.4, 1,821 test rows)" in helps.headline
    assert "on the test set 89.40 against 90.00" in helps.detail
    assert judge(front(with_test(1.2, 2.0, 2.8), whole=dense())).kind == "costs"


def test_test_rows_that_are_too_few_or_of_another_engine_do_not() -> None:
    for other in (with_test(-4.0, 0.5, 5.0, rows=50), with_test(2.0, 3.0, 4.0, changed="int8")):
        verdict = judge(front(other, whole=dense()))
        assert verdict.kind == "helps"
        assert "2,000 validation rows" in verdict.headline


def test_a_run_without_intervals_is_not_praised() -> None:
    verdict = judge(front(point(0, 4.0, 0.9, rows=None), whole=dense(rows=None)))
    assert verdict.kind == "undecided"
    assert "--resume" in verdict.detail
    costly = judge(front(point(0, 4.0, 0.8, rows=None), whole=dense(rows=None)))
    assert costly.kind == "undecided"


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
