from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.engine.variants import VARIANTS
from compresskit.pipeline.latency import LatencyMeter, shapes_of
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
    """A target on which each head takes 1 ms and each unit 0.1 ms."""

    def __init__(self, slicer: Sliced) -> None:
        self._slicer = slicer

    def conditions(self) -> dict[str, Any]:
        return {}

    def measure(self, model: LightGraph, **_: Any) -> Measurement:
        ms = sum(heads + 0.1 * units for heads, units in self._slicer.last.shapes)
        around = (0.99 * ms, 1.01 * ms)
        return Measurement((ms,), (1.0,), ms, around, ms, around, 1.0, ms, None, None, 1e3 / ms)


@pytest.fixture
def meter(tmp_path: Path) -> LatencyMeter:
    run, slicer = RunDirectory.create(tmp_path / "run", {}), Sliced()
    target: Any = Additive(slicer)
    any_slicer: Any = slicer
    return LatencyMeter(run, target, Profile("p"), any_slicer, VARIANTS[0])


def test_predictions_stand_beside_what_was_measured(meter: LatencyMeter) -> None:
    chosen = [(1, 8), (2, 16), (3, 8), (4, 32), (2, 32), (1, 32), (4, 8), (3, 24), (1, 16), (4, 24), (2, 8)]
    records = [
        meter.measure(Candidate(Architecture.uniform(DIMS, range(1 + i % 4), *sizes)))
        for i, sizes in enumerate(chosen)
    ]
    assert all(record["predicted_ms"] is None for record in records[:FEWEST])
    last = records[-1]
    assert last["predicted_ms"] == pytest.approx(last["median_ms"], rel=0.1)
    assert last["predicted_error"] < 0.3
    assert last["size_bytes"] == len(chain())
    assert meter.run.latencies()[-1]["predicted_ms"] == last["predicted_ms"]


def test_equal_shapes_share_a_measurement(meter: LatencyMeter) -> None:
    first = meter.measure(Candidate(Architecture.uniform(DIMS, [0, 1], 2, 8)))
    assert meter.measure(Candidate(Architecture.uniform(DIMS, [2, 3], 2, 8))) is first
    assert len(meter.run.latencies()) == 1


def test_signatures_tell_the_shapes() -> None:
    architecture = Architecture.of_counts(DIMS, [(1, 8), (0, 0), (0, 5), (4, 0)])
    assert tuple(shapes_of(architecture.signature)) == architecture.shapes
