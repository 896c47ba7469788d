from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.engine.variants import VARIANTS
from compresskit.pipeline.evaluation.latency import LatencyMeter
from compresskit.pipeline.evaluation.latency_record import at_level, shapes_of
from compresskit.pipeline.evaluation.speedup import SpeedUp
from compresskit.runs import RunDirectory
from compresskit.searchers.additive import FEWEST
from compresskit.target.base import Measurement
from compresskit.target.external_weights import LightGraph
from compresskit.target.profile import Profile
from tests.target.graphs import chain

DIMS = Dimensions(num_layers=4, num_heads=4, head_size=8, num_units=32, hidden_size=32)


class Sliced:
    """A slicer whose graph does not matter; the last architecture is remembered."""

    full = Architecture.uniform(DIMS, range(4), 4, 32)

    def slice_light(self, architecture: Architecture) -> LightGraph:
        self.last = architecture
        return LightGraph(onnx.load_model_from_string(chain()), {})


class Additive:
    """A target on which each head takes 1 ms and each unit 0.1 ms, known to `half_width`."""

    def __init__(self, slicer: Sliced) -> None:
        self._slicer = slicer
        self.half_width = 0.01
        self.slower = 1.0
        self.level = 1.0
        self.seconds: list[float | None] = []
        self.marks: tuple[str, ...] = ()
        self.key = "here"

    def conditions(self) -> dict[str, Any]:
        return {}

    def measure(self, model: LightGraph, *, seconds: float | None, **_: Any) -> Measurement:
        self.seconds.append(seconds)
        ms = self.slower * sum(heads + 0.1 * units for heads, units in self._slicer.last.shapes)
        around = ((1 - self.half_width) * ms, (1 + self.half_width) * ms)
        return Measurement(
            samples_ms=(ms,) * 60,
            reference_samples_ms=(1.0,),
            median_ms=ms,
            ci_ms=around,
            corrected_median_ms=ms,
            corrected_ci_ms=around,
            reference_level_ms=self.level,
            p50_ms=ms,
            p95_ms=None,
            p99_ms=None,
            throughput_per_s=1e3 / ms,
            marks=self.marks,
            conditions={"key": self.key, "reference": "small"},
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


CANDIDATE = Candidate(Architecture.uniform(DIMS, [0, 1], 2, 8))


def test_latencies_are_corrected_to_the_lowest_level_that_was_met(meter: LatencyMeter) -> None:
    """The first measurement's reference took twice as long as the second's: the machine was slower."""
    target: Any = meter.target
    target.level, target.slower = 2.0, 2.0
    first = meter.measure(CANDIDATE)
    target.level, target.slower = 1.0, 1.0
    second = meter.measure(Candidate(Architecture.uniform(DIMS, [0, 1], 4, 8)))
    meter.settle()
    assert meter.measure(CANDIDATE).median_ms == pytest.approx(first.median_ms / 2, rel=0.01)
    assert meter.known(Candidate(Architecture.uniform(DIMS, [0, 1], 4, 8))) == second
    again = LatencyMeter(meter.run, meter.target, meter.profile, meter.slicer, meter.variant)
    assert again.known(CANDIDATE) == meter.known(CANDIDATE)
    assert again.known(Candidate(Architecture.uniform(DIMS, [0], 1, 1))) is None


def test_raw_rounds_are_corrected_with_their_own_slope(meter: LatencyMeter) -> None:
    """A candidate that suffers twice as much as its reference, in a machine that comes and goes."""
    states = np.where(np.arange(40) % 8 < 4, 1.0, 1.2)
    rounds = [[state, 5 * state**2, state] for state in states.tolist()]
    record = {"rounds_ms": rounds, "common_error": 0.006, "reference_level_ms": 1.2}
    assert at_level(record, 1.0)["corrected_median_ms"] == pytest.approx(5, rel=0.01)
    low, high = at_level(record, 1.0)["corrected_ci_ms"]
    assert low < 5 < high < 5.2


def test_levels_of_other_conditions_change_nothing(meter: LatencyMeter) -> None:
    """A run that was begun on a host twice as fast, and goes on here."""
    target: Any = meter.target
    target.key, target.level = "there", 0.5
    meter.measure(CANDIDATE)
    target.key, target.level = "here", 1.0
    here = meter.measure(Candidate(Architecture.uniform(DIMS, [0, 1], 4, 8)))
    meter.settle()
    assert meter.measure(Candidate(Architecture.uniform(DIMS, [0, 1], 4, 8))) == here


def test_dense_is_looked_at_in_full_before_the_front_rests_on_it(meter: LatencyMeter) -> None:
    target: Any = meter.target
    target.half_width = 0.05
    wide = meter.measure(meter.dense)
    target.half_width, target.marks = 0.01, ("busy",)
    found = meter.measure_dense()
    assert found.half_width < wide.half_width and found.marks == ("busy",)
    assert target.seconds == [pytest.approx(3.0), None]
    assert meter.measure_dense() == found
    assert len(target.seconds) == 2, "once is enough"
    meter.measure(CANDIDATE)
    assert meter.note_speedup(CANDIDATE, [SpeedUp(4.0, (3.9, 4.1))]).marks == ("busy",)


def test_speedup_gives_the_latency_of_a_point(meter: LatencyMeter) -> None:
    """What the search took for 5.6 ms is a fourth of dense beside it."""
    dense = meter.measure(meter.dense)
    meter.measure(CANDIDATE)
    found = meter.note_speedup(CANDIDATE, [SpeedUp(4.0, (3.9, 4.1))])
    assert found.median_ms == pytest.approx(dense.median_ms / 4)
    # Both the dense model's interval, of 1 %, and that of the ratio.
    low, high = found.ci_ms
    assert np.log(high / low) / 2 == pytest.approx(np.hypot(0.01, 0.025), rel=0.05)
    assert found.speedup == SpeedUp(4.0, (3.9, 4.1))
    meter.settle()
    again = LatencyMeter(meter.run, meter.target, meter.profile, meter.slicer, meter.variant)
    assert again.known(CANDIDATE) == found


def test_signatures_tell_the_shapes() -> None:
    architecture = Architecture.of_counts(DIMS, [(1, 8), (0, 0), (0, 5), (4, 0)])
    assert tuple(shapes_of(architecture.signature)) == architecture.shapes
