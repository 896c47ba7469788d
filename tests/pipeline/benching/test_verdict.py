"""What a gate decides, and what it leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from compresskit.pipeline.benching.gate import parse_condition
from compresskit.pipeline.benching.verdict import Outcome, judge, limits_of
from compresskit.target.decide import Limit
from tests.report.runs import bench_result


def outcome(text: str, result: dict[str, Any] | None = None, *, allow_busy: bool = False) -> str:
    (verdict,) = judge([parse_condition(text)], result or bench_result(), allow_busy=allow_busy)
    return verdict.outcome.value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("speedup < 1.9", "does not hold"),
        ("speedup < 1.99", "not decided"),
        ("speedup < 2.01", "not decided"),
        ("speedup < 2.1", "holds"),
        ("speedup == 2", "not decided"),
        ("speedup != 3", "holds"),
        ("ratios.0.speedup < 2.01", "not decided"),
        ("latency_ms.p50 > 5.05", "not decided"),
        ("latency_ms.p50 > 5.2", "does not hold"),
        ("engines.1.latency_ms.p50 > 4.8", "holds"),
        ("engines.1.latency_ms.p50 > 4.95", "not decided"),
        ("latency_ms.p95 > 5.4", "holds"),  # no interval is known: the figure decides
        ("latency_ms.ci.1 > 5.05", "holds"),
        ("throughput_per_s < 203", "not decided"),  # 1000 / 5.1 to 1000 / 4.9
        ("throughput_per_s < 205", "holds"),
        ("size_bytes > 90900000", "does not hold"),
    ],
)
def test_an_interval_decides_where_it_lies_on_one_side(text: str, wanted: str) -> None:
    assert outcome(text) == wanted


def test_percentiles_have_intervals_of_their_own() -> None:
    result = bench_result()
    result["engines"][1]["latency_ms"] |= {"p95_ci": [5.2, 5.9], "p99": 6.0, "p99_ci": [5.8, 6.4]}
    assert outcome("latency_ms.p95 > 5.4", result) == "not decided"
    assert outcome("latency_ms.p95 > 5.1", result) == "holds"
    assert outcome("latency_ms.p99 > 6.5", result) == "does not hold"


@pytest.mark.parametrize("where", ["engine", "ratio", "all"])
def test_a_mark_leaves_figures_of_time_open(where: str) -> None:
    result = bench_result()
    marked = {"engine": result["engines"][1], "ratio": result["ratios"][0], "all": result}[where]
    marked["marks"] = ["others took 31 %"]
    of_engine = {"engine": "not decided", "ratio": "does not hold", "all": "not decided"}[where]
    of_ratio = {"engine": "does not hold", "ratio": "not decided", "all": "not decided"}[where]
    assert outcome("latency_ms.p95 > 9", result) == outcome("latency_ms.ci.1 > 9", result) == of_engine
    assert outcome("engines.1.throughput_per_s < 9", result) == of_engine
    assert outcome("speedup < 1.5", result) == outcome("ci.0 < 1.5", result) == of_ratio
    assert outcome("metric < 0.9", result) == outcome("size_bytes > 1e9", result) == "does not hold"


def test_with_allow_busy_the_figure_decides() -> None:
    result = bench_result(marks=["others took 31 %"])
    assert outcome("speedup < 2.01", result, allow_busy=True) == Outcome.HOLDS.value
    assert outcome("speedup < 1.99", result, allow_busy=True) == Outcome.DOES_NOT.value


def test_a_verdict_says_why() -> None:
    (verdict,) = judge([parse_condition("speedup < 1.99")], bench_result(marks=["others took 31 %"]))
    assert str(verdict) == (
        "e/pruned against e/dense: speedup is 2 (1.98\N{EN DASH}2.02), and --fail-if is 'speedup < 1.99': "
        "the interval does not lie on one side of the limit; others took 31 %."
    )


def test_limits_to_measure_for() -> None:
    texts = ["speedup < 1.5", "latency_ms.p95 > 5", "latency_ms.p50 > 4", "size_bytes > 1", "ci.0 < 1"]
    assert limits_of([parse_condition(text) for text in texts]) == (
        Limit("speedup", 1.5),
        Limit("p95", 5.0),
        Limit("p50", 4.0),
    )
