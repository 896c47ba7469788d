"""Points of a front beside the dense model: when one look is enough, and what several say together."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.errors import AgentError, TargetError
from compresskit.pipeline.evaluation.latency_record import CandidateLatency
from compresskit.pipeline.evaluation.pairing import DensePairs
from compresskit.pipeline.evaluation.speedup import SpeedUp, combined, is_settled
from compresskit.target.external_weights import LightGraph
from compresskit.target.profile import Profile
from tests.target.graphs import chain

DIMS = Dimensions(num_layers=2, num_heads=4, head_size=8, num_units=32, hidden_size=32)
DENSE = Candidate(Architecture.uniform(DIMS, range(2), 4, 32))
CANDIDATE = Candidate(Architecture.uniform(DIMS, [0], 2, 8))


def near(times: float, half_width: float = 0.02, marks: tuple[str, ...] = ()) -> SpeedUp:
    return SpeedUp(times, (times * (1 - half_width), times * (1 + half_width)), marks)


class Meter:
    """Knows the candidate to be 4 times as fast as dense; looks beside dense find `ratios` in turn."""

    profile = Profile("p")
    dense = DENSE

    def __init__(self, *ratios: float | Exception) -> None:
        self.ratios = list(ratios)
        self.noted: list[SpeedUp] | None = None
        self.references: list[Path] = []
        self.speedup: SpeedUp | None = None

    def measure(self, candidate: Candidate) -> CandidateLatency:
        ms = 20.0 if candidate == DENSE else 5.0
        return CandidateLatency(ms, (0.98 * ms, 1.02 * ms), 1, self.speedup)

    def build_light(self, candidate: Candidate) -> LightGraph:
        assert candidate == DENSE
        return LightGraph(onnx.load_model_from_string(chain()), {})

    def variant_for(self, precision: str) -> Any:
        return SimpleNamespace(session=precision)

    def measure_beside(self, candidate: Candidate, reference: Path, session: Any) -> Any:
        assert session == "fp32" and reference.exists()
        self.references.append(reference)
        found = self.ratios.pop(0)
        if isinstance(found, Exception):
            raise found
        if candidate == DENSE:
            found = 0.5  # at the lengths of a mix dense takes twice what it does at the reference's
        ratio = (1 / found, 0.98 / found, 1.02 / found)
        return SimpleNamespace(ratio=ratio, reference_level_ms=19.0 + len(self.references), marks=())

    def note_speedup(self, candidate: Candidate, looks: list[SpeedUp]) -> CandidateLatency:
        self.noted = looks
        return CandidateLatency(20.0 / combined(looks).times, (0, 0), 1, combined(looks))


def pairs(*ratios: float | Exception) -> tuple[DensePairs, Meter]:
    meter = Meter(*ratios)
    any_meter: Any = meter
    return DensePairs(any_meter), meter


def test_one_look_that_the_search_agrees_with_is_enough() -> None:
    found, meter = pairs(4.05, 9.0)
    times = found.latency(CANDIDATE).speedup
    assert times is not None and times.times == pytest.approx(4.05)
    assert times.ci == pytest.approx((4.05 / 1.02, 4.05 / 0.98))
    assert found.dense_ms == 20.0
    assert meter.ratios == [9.0]


def test_one_that_contradicts_the_search_is_taken_again() -> None:
    """A busy machine had shown a speed-up of 4; beside dense it is 2."""
    found, meter = pairs(2.0, 2.02, 9.0)
    times = found.latency(CANDIDATE).speedup
    assert times is not None and times.times == pytest.approx(2.01, rel=0.01) and not times.marks
    assert meter.ratios == [9.0]
    assert len(set(meter.references)) == 1
    assert found.dense_ms == 20.0


def test_looks_that_contradict_each_other_are_marked() -> None:
    found, _ = pairs(2.0, 3.0, 6.0)
    times = found.latency(CANDIDATE).speedup
    assert times is not None and any("contradict" in mark for mark in times.marks)
    assert times.ci[1] / times.ci[0] > 1.5


def test_more_than_the_arithmetic_explains_is_looked_at_again() -> None:
    found, meter = pairs(4.0, 4.0)
    found.latency(CANDIDATE, macs_ratio=3.0)
    assert not meter.ratios
    found, meter = pairs(4.0, 4.0)
    found.latency(CANDIDATE, macs_ratio=4.0)
    assert meter.ratios == [4.0]


def test_in_a_mix_of_lengths_dense_is_measured_beside_itself() -> None:
    found, meter = pairs(0.0, 2.0)
    meter.profile = Profile("mix", lengths=((16, 1.0), (256, 1.0)))
    times = found.latency(CANDIDATE).speedup
    assert times is not None and times.times == pytest.approx(4.0)
    assert times.half_width == pytest.approx(np.hypot(0.02, 0.02), rel=0.02)
    assert found.dense_ms == 42.0, "its level at the reference's length, times two"
    found.close()


def test_what_is_known_is_not_measured_again() -> None:
    found, meter = pairs()
    meter.speedup = near(3.0)
    assert found.latency(CANDIDATE).speedup == near(3.0)
    assert found.latency(DENSE).median_ms == 20.0
    assert meter.noted is None


def test_a_graph_that_fails_now_keeps_what_it_had() -> None:
    found, meter = pairs(TargetError("out of memory"))
    assert found.latency(CANDIDATE).median_ms == 5.0
    assert meter.noted is None
    found, meter = pairs(2.0, TargetError("out of memory"))
    assert found.latency(CANDIDATE).median_ms == pytest.approx(10)
    with pytest.raises(AgentError):
        pairs(AgentError("the device does not answer"))[0].latency(CANDIDATE)


def test_combined_looks_are_narrower_where_they_agree_and_wider_where_not() -> None:
    alike, apart = combined([near(4.0), near(4.01)]), combined([near(4.0), near(4.3), near(3.8)])
    assert alike.half_width < near(4.0).half_width < apart.half_width
    assert combined([near(4.0, 0.01), near(5.0, 0.1)]).times < 4.05
    wide = combined([near(4.0, 0.3, ("the 95 % interval is +-30%",)), near(4.0, 0.3)])
    assert wide.marks == (f"the 95 % interval is +-{wide.half_width:.0%}",)


def test_a_marked_look_is_taken_again_up_to_three_times() -> None:
    assert not is_settled([near(4.0, marks=("busy",))], None, None)
    assert is_settled([near(4.0, marks=("busy",))] * 3, None, None)
    assert SpeedUp.from_json(near(4.0, marks=("busy",)).to_json()) == near(4.0, marks=("busy",))
