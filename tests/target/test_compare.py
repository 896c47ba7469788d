from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from compresskit.errors import ConfigurationError, TargetError
from compresskit.target import runner as runner_module
from compresskit.target.compare import compare
from compresskit.target.comparison_result import Comparison, Ratio
from compresskit.target.leg import Leg
from compresskit.target.local import LocalTarget
from compresskit.target.profile import Profile
from compresskit.target.reference_level import Level
from compresskit.target.runner import EngineToMeasure
from compresskit.target.statistics import Array
from compresskit.target.timer import Step
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
    # The level of the other reference is another number, nine times this one, for the same state of the
    # machine. What these measurements take, on a machine that does other work, differs by twice and more.
    large, large_ms = list(searched.conditions["reference_levels_ms"].items())[1]
    (other,) = compare(
        [EngineToMeasure("one", chain())], PROFILE, level=Level(large_ms, key, large)
    ).measurements
    assert other.corrected_ms is not None
    assert 1 / 4 < other.corrected_ms / found.corrected_ms < 4
    slower = Level(400 * searched.reference_level_ms, key)
    (later,) = compare([EngineToMeasure("one", chain())], PROFILE, level=slower).measurements
    assert later.corrected_ms is not None
    # 20 times at least, since the slope is from 0.5.
    assert later.corrected_ms > 4 * found.corrected_ms
    assert json.loads(json.dumps(later.to_json()))["path"] == "one"


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


class SimulatedChild:
    """A worker whose runs take `ms` but for noise, a share of it that each block has in common."""

    facts: ClassVar[dict[str, Any]] = {"onnxruntime": "none", "providers": ["CPUExecutionProvider"]}

    def __init__(self, ms: float, noise: float, seed: int) -> None:
        self.ms = ms
        self.noise = noise
        self.rng = np.random.default_rng(seed)
        self.pid = os.getpid()

    def load(self, slot: str, *_: object) -> dict[str, Any]:
        return {"first_run_ms": self.ms, "nodes": {}}

    def run(self, plan: Sequence[Step]) -> list[Leg]:
        return [Leg(step.slot, 0.0, tuple(self._samples(step.runs))) for step in plan]

    def _samples(self, runs: int) -> Array:
        shared, own = self.rng.standard_normal(), self.rng.standard_normal(runs)
        found: Array = self.ms * np.exp(self.noise * (shared + own))
        return found

    def peak_memory_bytes(self) -> None:
        return None

    def kill(self) -> None:
        pass


class TestDecide:
    """Stopping as soon as it is known which is faster, on simulated times."""

    def compared(
        self, monkeypatch: pytest.MonkeyPatch, times_ms: Sequence[float], noise: float, seed: int = 0
    ) -> Comparison:
        children = iter([SimulatedChild(ms, noise, 10 * seed + i) for i, ms in enumerate(times_ms)])
        monkeypatch.setattr(runner_module, "start_child", lambda _: next(children))
        engines = [EngineToMeasure(f"{i}", chain()) for i in range(len(times_ms))]
        return compare(engines, Profile("simulated", length=32, max_seconds=4.0), decide=True)

    def rounds(self, found: Comparison) -> int:
        """Blocks have three runs here, since a run takes a third of a block."""
        return len(found.measurements[0].samples_ms) // 3

    def test_a_clear_difference_takes_the_fewest_rounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.compared(monkeypatch, (20.0, 16.0), noise=0.01)
        assert self.rounds(found) == 12
        low, high = found.ratios[0].ci
        assert 1.2 < low < 1.25 < high

    def test_what_is_alike_is_found_to_be_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.compared(monkeypatch, (20.0, 20.0), noise=0.01)
        assert 12 <= self.rounds(found) < 60
        assert found.ratios[0].no_difference_shown and found.ratios[0].is_decided

    def test_every_ratio_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.compared(monkeypatch, (20.0, 16.0, 19.8), noise=0.02)
        assert self.rounds(found) > 12
        assert all(ratio.is_decided for ratio in found.ratios)

    def test_what_noise_hides_ends_with_the_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.compared(monkeypatch, (20.0, 20.0), noise=0.3)
        assert not found.ratios[0].is_decided
        timed_ms = sum(sum(each.samples_ms) for each in found.measurements)
        # Two runs before each block of three are not timed.
        assert 8_000 <= timed_ms * 5 / 3 < 8_500

    def test_one_engine_is_measured_precisely(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.compared(monkeypatch, (20.0,), noise=0.001)
        assert len(found.measurements[0].samples_ms) >= 60

    @pytest.mark.slow
    def test_looking_again_and_again_shows_no_difference_that_is_not_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = [self.compared(monkeypatch, (20.0, 20.0), noise=0.03, seed=seed) for seed in range(25)]
        assert sum(not each.ratios[0].no_difference_shown for each in found) <= 3


@pytest.mark.parametrize(
    ("ci", "decided"),
    [
        ((1.001, 1.5), True),
        ((0.5, 0.999), True),
        ((0.985, 1.015), True),
        ((0.985, 1.03), False),
        ((0.97, 1.01), False),
    ],
)
def test_a_ratio_is_decided(ci: tuple[float, float], decided: bool) -> None:
    ratio = Ratio("a", "b", sum(ci) / 2, ci)
    mirrored = Ratio("b", "a", 2 / sum(ci), (1 / ci[1], 1 / ci[0]))
    assert ratio.is_decided == mirrored.is_decided == decided
