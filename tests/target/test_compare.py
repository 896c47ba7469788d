from __future__ import annotations

import json
from pathlib import Path

import pytest

from compresskit.errors import ConfigurationError, TargetError
from compresskit.target.baseline import Level
from compresskit.target.compare import EngineToMeasure, compare
from compresskit.target.comparison import Ratio
from compresskit.target.local import LocalTarget
from compresskit.target.profile import Profile
from tests.target.graphs import chain, written

PROFILE = Profile("quick", length=32, max_seconds=0.4)


def test_engines_side_by_side(tmp_path: Path) -> None:
    small = written(tmp_path, chain(width=32))
    engines = [
        EngineToMeasure("large", chain(width=512, depth=6)),
        EngineToMeasure("small", small),
        EngineToMeasure("sized", small, size_bytes=7),
    ]
    found = compare(engines, PROFILE, "large")
    value = json.loads(json.dumps(found.to_json()))
    assert [engine["path"] for engine in value["engines"]] == ["large", "small", "sized"]
    large, little, sized = value["engines"]
    assert large["latency_ms"]["p50"] > 3 * little["latency_ms"]["p50"]
    assert little["latency_ms"]["ci"][0] <= little["latency_ms"]["p50"] <= little["latency_ms"]["ci"][1]
    assert little["samples"] == len(little["samples_ms"]) >= 12
    assert large["peak_memory_bytes"] > little["peak_memory_bytes"]
    assert (little["size_bytes"], sized["size_bytes"]) == (small.stat().st_size, 7)
    assert [(ratio["engine"], ratio["baseline"]) for ratio in value["ratios"]] == [
        ("small", "large"),
        ("sized", "large"),
    ]
    speedup = value["ratios"][0]
    assert speedup["ci"][0] <= speedup["speedup"] <= speedup["ci"][1] and speedup["speedup"] > 3
    assert not speedup["no_difference_shown"]
    assert value["conditions"]["profile"] == "quick"


def test_first_engine_is_the_baseline() -> None:
    found = compare([EngineToMeasure("only", chain())], PROFILE)
    assert found.ratios == ()
    assert found.measurements[0].throughput_per_s > 0


def test_latency_is_corrected_to_the_level_of_a_search_under_the_same_conditions() -> None:
    with LocalTarget(PROFILE) as target:
        searched = target.measure(chain())
    assert searched.reference_level_ms is not None
    key = str(searched.conditions["key"])
    level = Level(searched.reference_level_ms, key)
    (found,) = compare([EngineToMeasure("one", chain())], PROFILE, level=level).measurements
    assert found.corrected_ms is not None
    assert found.corrected_ci_ms is not None
    assert found.corrected_ci_ms[0] <= found.corrected_ms <= found.corrected_ci_ms[1]
    slower = Level(2 * searched.reference_level_ms, key)
    (twice,) = compare([EngineToMeasure("one", chain())], PROFILE, level=slower).measurements
    assert twice.corrected_ms is not None
    assert twice.corrected_ms > 1.1 * found.corrected_ms  # the slope is 0.3 at least
    assert json.loads(json.dumps(twice.to_json()))["path"] == "one"


def test_a_level_of_other_conditions_is_not_used() -> None:
    level = Level(1.0, "another machine")
    (found,) = compare([EngineToMeasure("one", chain())], PROFILE, level=level).measurements
    assert (found.corrected_ms, found.corrected_ci_ms) == (None, None)


def test_no_difference_is_flagged() -> None:
    assert Ratio("a", "b", 1.01, (0.99, 1.03)).no_difference_shown
    assert not Ratio("a", "b", 1.05, (1.01, 1.08)).no_difference_shown


@pytest.mark.parametrize(
    ("names", "baseline"), [([], None), (["a", "a"], None), (["a"], "b")], ids=["none", "twice", "absent"]
)
def test_wrong_selection_is_refused(names: list[str], baseline: str | None) -> None:
    with pytest.raises(ConfigurationError, match="different names"):
        compare([EngineToMeasure(name, b"") for name in names], PROFILE, baseline)


def test_failing_engine_is_named() -> None:
    broken = chain(vocabulary=2).replace(b"MatMul", b"NotMul")
    with pytest.raises(TargetError, match="bad one: load failed"):
        compare([EngineToMeasure("good", chain()), EngineToMeasure("bad one", broken)], PROFILE)
