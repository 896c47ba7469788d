from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.engine.variants import VARIANTS
from compresskit.errors import AgentError, TargetError
from compresskit.pipeline.latency import CandidateLatency, LatencyMeter, shapes_of
from compresskit.runs import RunDirectory
from compresskit.search.additive import FEWEST
from compresskit.target.base import Measurement
from compresskit.target.light import LightGraph
from compresskit.target.profile import Profile
from tests.target.graphs import chain

DIMS = Dimensions(num_layers=4, num_heads=4, head_size=8, num_units=32, hidden_size=32)


class Sliced:
    """A slicer whose graph does not matter; the last architecture is remembered."""

    def slice_light(self, architecture: Architecture) -> LightGraph:
        self.last = architecture
        return LightGraph(onnx.load_model_from_string(chain()), {})


class Additive:
    """A target on which each head takes 1 ms and each unit 0.1 ms, known to `half_width`."""

    def __init__(self, slicer: Sliced) -> None:
        self._slicer = slicer
        self.half_width = 0.01
        self.sampled = 0.01
        self.samples = 60
        self.slower = 1.0
        self.fails: TargetError | None = None
        self.seconds: list[float | None] = []

    def conditions(self) -> dict[str, Any]:
        return {}

    def measure(self, model: LightGraph, *, seconds: float | None, **_: Any) -> Measurement:
        if self.fails:
            raise self.fails
        self.seconds.append(seconds)
        ms = self.slower * sum(heads + 0.1 * units for heads, units in self._slicer.last.shapes)
        around = ((1 - self.half_width) * ms, (1 + self.half_width) * ms)
        return Measurement(
            samples_ms=(ms,) * self.samples,
            reference_samples_ms=(1.0,),
            median_ms=ms,
            ci_ms=around,
            corrected_median_ms=ms,
            corrected_ci_ms=around,
            reference_level_ms=1.0,
            p50_ms=ms,
            p95_ms=None,
            p99_ms=None,
            throughput_per_s=1e3 / ms,
            conditions={"sampling_half_width": self.sampled},
        )


@pytest.fixture
def meter(tmp_path: Path) -> LatencyMeter:
    run, slicer = RunDirectory.create(tmp_path / "run", {}), Sliced()
    target: Any = Additive(slicer)
    any_slicer: Any = slicer
    return LatencyMeter(run, target, Profile("p"), any_slicer, VARIANTS[0])


def test_predictions_stand_beside_what_was_measured(meter: LatencyMeter) -> None:
    chosen = [(1, 8), (2, 16), (3, 8), (4, 32), (2, 32), (1, 32), (4, 8), (3, 24), (1, 16), (4, 24), (2, 8)]
    for i, sizes in enumerate(chosen):
        meter.measure(Candidate(Architecture.uniform(DIMS, range(1 + i % 4), *sizes)))
    records = meter.run.latencies()
    assert all(record["predicted_ms"] is None for record in records[:FEWEST])
    last = records[-1]
    assert last["predicted_ms"] == pytest.approx(last["median_ms"], rel=0.1)
    assert last["predicted_error"] < 0.3
    assert last["size_bytes"] == len(chain())


def test_equal_shapes_share_a_measurement(meter: LatencyMeter) -> None:
    first = meter.measure(Candidate(Architecture.uniform(DIMS, [0, 1], 2, 8)))
    assert meter.measure(Candidate(Architecture.uniform(DIMS, [2, 3], 2, 8))) == first
    assert len(meter.run.latencies()) == 1


class TestSecondLook:
    CANDIDATE = Candidate(Architecture.uniform(DIMS, [0, 1], 2, 8))

    def looked_at_twice(self, meter: LatencyMeter, first: float, second: float) -> float:
        """The half-width that is known after both."""
        target: Any = meter.target
        for half_width in (first, second):
            target.half_width = half_width
            found = meter.measure_again(self.CANDIDATE).half_width
        return found

    def test_narrower_interval_takes_the_place_of_a_wide_one(self, meter: LatencyMeter) -> None:
        assert self.looked_at_twice(meter, 0.08, 0.02) == pytest.approx(0.02)
        (kept,) = meter.run.latencies()
        assert kept["corrected_ci_ms"] == pytest.approx([5.6 * 0.98, 5.6 * 1.02])
        assert meter.measure(self.CANDIDATE) == CandidateLatency.of(kept)
        assert kept["size_bytes"] == len(chain())

    def test_wider_one_does_not(self, meter: LatencyMeter) -> None:
        assert self.looked_at_twice(meter, 0.08, 0.09) == pytest.approx(0.08)

    def test_what_is_known_well_is_not_measured_again(self, meter: LatencyMeter) -> None:
        assert self.looked_at_twice(meter, 0.02, 0.01) == pytest.approx(0.02)

    def test_first_look_that_was_too_short_is_followed_by_a_long_one(self, meter: LatencyMeter) -> None:
        target: Any = meter.target
        target.sampled = 0.015
        assert self.looked_at_twice(meter, 0.02, 0.01) == pytest.approx(0.01)
        assert target.seconds == [pytest.approx(3.0), None, None]

    def test_few_samples_may_agree_by_luck(self, meter: LatencyMeter) -> None:
        target: Any = meter.target
        target.samples = 5
        assert self.looked_at_twice(meter, 0.005, 0.004) == pytest.approx(0.004)

    def test_what_is_known_stays_where_the_graph_fails_now(self, meter: LatencyMeter) -> None:
        target: Any = meter.target
        target.half_width = 0.08
        known = meter.measure(self.CANDIDATE)
        target.fails = TargetError("out of memory")
        assert meter.measure_again(self.CANDIDATE) == known

    def test_a_device_that_is_gone_ends_it(self, meter: LatencyMeter) -> None:
        target: Any = meter.target
        target.half_width = 0.08
        meter.measure(self.CANDIDATE)
        target.fails = AgentError("the device does not answer")
        with pytest.raises(AgentError):
            meter.measure_again(self.CANDIDATE)


class TestMachineThatMoved:
    CANDIDATE = TestSecondLook.CANDIDATE

    @pytest.mark.parametrize(("slower", "found"), [(1.0, None), (1.05, None), (1.4, 7.84), (0.7, 3.92)])
    def test_it_is_told_from_one_that_did_not(
        self, meter: LatencyMeter, slower: float, found: float | None
    ) -> None:
        known = meter.measure(self.CANDIDATE)
        target: Any = meter.target
        target.slower = slower
        now = meter.moved_to(self.CANDIDATE)
        assert now == (None if found is None else pytest.approx(found))
        assert meter.measure(self.CANDIDATE) == known

    def test_intervals_that_meet_tell_nothing(self, meter: LatencyMeter) -> None:
        target: Any = meter.target
        target.half_width = 0.3
        meter.measure(self.CANDIDATE)
        target.slower = 1.4
        assert meter.moved_to(self.CANDIDATE) is None

    def test_graph_that_fails_now_tells_nothing(self, meter: LatencyMeter) -> None:
        meter.measure(self.CANDIDATE)
        target: Any = meter.target
        target.fails = TargetError("out of memory")
        assert meter.moved_to(self.CANDIDATE) is None


def test_signatures_tell_the_shapes() -> None:
    architecture = Architecture.of_counts(DIMS, [(1, 8), (0, 0), (0, 5), (4, 0)])
    assert tuple(shapes_of(architecture.signature)) == architecture.shapes
