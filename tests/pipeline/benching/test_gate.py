"""--fail-if: parsed, never evaluated."""

from __future__ import annotations

import pytest

from compresskit.errors import ConfigurationError
from compresskit.pipeline.benching.gate import Condition, check_keys, figures, parse_condition
from tests.report.runs import bench_result


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("latency_ms.p95 > 5", Condition("latency_ms.p95", ">", 5.0)),
        ("speedup<1.5", Condition("speedup", "<", 1.5)),
        (" size_bytes  >=  1e8 ", Condition("size_bytes", ">=", 1e8)),
        ("latency_ms.ci.1 <= .5", Condition("latency_ms.ci.1", "<=", 0.5)),
        ("samples != -3", Condition("samples", "!=", -3.0)),
    ],
)
def test_conditions_that_parse(text: str, parsed: Condition) -> None:
    assert parse_condition(text) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latency_ms.p95",
        "latency_ms.p95 > ",
        "5 < latency_ms.p95",
        "latency_ms.p95 > 5 ms",
        "latency_ms.p95 = 5",
        "latency_ms.p95 => 5",
        "latency_ms[p95] > 5",
        "latency_ms..p95 > 5",
        "p95 > nan",
        "p95 > 1e999",
        "__import__('os').system('true') > 0",
        "speedup > 1 or True",
        "speedup < 1.5; samples > 3",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="KEY OP NUMBER"):
        parse_condition(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("latency_ms.p95 > 5", [("e/pruned", 5.5)]),
        ("latency_ms.ci.1 > 5.05", [("e/pruned", 5.1)]),
        ("speedup < 2.5", [("e/pruned against e/dense", 2.0)]),
        ("ci.0 < 1.9", [("e/pruned against e/dense", 1.98)]),
        ("metric < 0.92", [("e/pruned", 0.91)]),
        ("engines.0.latency_ms.p50 == 10", [("bench", 10.0)]),
        ("ratios.0.speedup > 1", [("bench", 2.0)]),
    ],
)
def test_conditions_look_at_engines_ratios_and_paths(text: str, found: list[tuple[str, float]]) -> None:
    seen = [(figure.owner, figure.value) for figure in figures(parse_condition(text), bench_result())]
    assert [owner for owner, _ in seen] == [owner for owner, _ in found]
    assert [value for _, value in seen] == pytest.approx([value for _, value in found])


def test_a_path_from_the_top_leads_to_the_engine() -> None:
    result = bench_result()
    (figure,) = figures(parse_condition("engines.1.latency_ms.p50 > 1"), result)
    assert figure.key == "latency_ms.p50" and figure.holder is result["engines"][1]


def test_a_metric_without_a_data_set_says_what_is_missing() -> None:
    result = bench_result()
    unscored = {**result, "engines": [{**engine, "metric": None} for engine in result["engines"]]}
    with pytest.raises(ConfigurationError, match="was not measured. Give --dataset"):
        list(figures(parse_condition("metric < 0.9"), unscored))


def test_a_lone_baseline_is_judged_itself() -> None:
    result = bench_result()
    alone = {**result, "engines": result["engines"][:1], "ratios": []}
    assert len(list(figures(parse_condition("latency_ms.p50 > 1"), alone))) == 1
    with pytest.raises(ConfigurationError, match="give --baseline"):
        list(figures(parse_condition("speedup < 1"), alone))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latency.p95 > 5", "no key 'latency'; permitted: .*latency_ms"),
        ("latency_ms.p90 > 5", "no 'p90'; permitted there: p50, p95, p99, ci"),
        ("latency_ms > 5", "is not a number"),
        ("latency_ms.ci.2 > 5", "no '2'"),
        ("latency_ms.p99 > 5", "was not measured. A percentile needs enough samples"),
        ("path > 5", "is not a number"),
    ],
)
def test_a_gate_that_cannot_be_checked_does_not_pass(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        list(figures(parse_condition(text), bench_result()))


@pytest.mark.parametrize(
    ("text", "engines", "message"),
    [
        ("latency.p95 > 5", 1, "no key 'latency'"),
        ("latency_ms.p96 > 5", 1, "no 'p96'"),
        ("speedup < 1.5", 1, "give --baseline"),
        ("precision > 1", 2, "is not a number"),
    ],
)
def test_a_key_that_no_bench_finds_is_refused_before_one_is_run(
    text: str, engines: int, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_keys([parse_condition(text)], engines)


def test_keys_that_a_bench_may_find_pass() -> None:
    texts = ["latency_ms.p99 > 5", "metric < 0.9", "num_params > 1e7", "conditions.cpu.clock_mhz < 1"]
    check_keys([parse_condition(text) for text in texts], 1)
    check_keys([parse_condition(text) for text in ("speedup < 1.5", "ci.0 < 1")], 2)
