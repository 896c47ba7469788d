"""Latency of candidates: sliced from one exported graph, measured once a key, remembered in the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import onnx

from compresskit.architecture import BLOCKS_MARK, Candidate
from compresskit.engine.quantize import to_precision
from compresskit.engine.variants import Variant
from compresskit.errors import AgentError, TargetError
from compresskit.pipeline.slicers import Slicer
from compresskit.runs.directory import RunDirectory
from compresskit.search.additive import AdditiveLatency, Shapes
from compresskit.target.base import LatencyTarget
from compresskit.target.light import LightGraph, without_weights
from compresskit.target.profile import Profile

WIDE = 3.0  # times the precision asked for: what the noise floor of a calm machine stays below
FIRST_LOOK = 0.3  # of the profile's seconds: a searcher ranks by less than a front promises
MOVED = 0.1  # by more, the correction by the reference does not hold: the machine is another one now


@dataclass(frozen=True)
class CandidateLatency:
    """What a run knows of a candidate: milliseconds with their 95 % interval, bytes of the graph."""

    median_ms: float
    ci_ms: tuple[float, float]
    size_bytes: int

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> CandidateLatency:
        """From a line of latencies.jsonl."""
        low, high = record["corrected_ci_ms"]
        return cls(record["corrected_median_ms"], (low, high), record["size_bytes"])

    @property
    def half_width(self) -> float:
        """Of the interval, as a share of the median."""
        return (self.ci_ms[1] - self.ci_ms[0]) / 2 / self.median_ms


class LatencyMeter:
    """Measures candidates on one target; candidates of one signature share a measurement.

    A latency is keyed by signature, precision, variant, profile and the target's own conditions. Each
    precision has the variant that `variants` names for it, else `variant`.
    """

    def __init__(
        self,
        run: RunDirectory,
        target: LatencyTarget,
        profile: Profile,
        slicer: Slicer,
        variant: Variant,
        variants: Mapping[str, Variant] | None = None,
    ) -> None:
        self.run = run
        self.target = target
        self.profile = profile
        self.slicer = slicer
        self.variant = variant
        self.variants = dict(variants or {})
        self._conditions = target.conditions()
        self._known = {record["key"]: record for record in run.latencies()}

    def build(self, candidate: Candidate) -> onnx.ModelProto:
        """The candidate's graph as it is measured: sliced, in its precision, in the chosen variant."""
        graph = self.slicer.slice(candidate.architecture)
        graph = self.variant_for(candidate.precision).apply(graph, candidate.blocks)
        return to_precision(graph, candidate.precision)

    def build_light(self, candidate: Candidate) -> LightGraph:
        """The same graph, its large weights beside it; quick where they are only cut."""
        if candidate.precision != "fp32" or candidate.blocks is not None:
            return without_weights(self.build(candidate))
        graph = self.slicer.slice_light(candidate.architecture)
        return LightGraph(self.variant_for(candidate.precision).apply(graph.model), graph.weights)

    def variant_for(self, precision: str) -> Variant:
        """The form in which graphs of this precision run."""
        return self.variants.get(precision, self.variant)

    def measure(self, candidate: Candidate) -> CandidateLatency:
        """The candidate's latency, from the run if it is known there.

        Beside what was measured, the run's record has what an additive model of the earlier measurements
        predicted, None while there are too few. On a busy machine the first look ends before the profile's
        precision is met. Raises TargetError when the graph does not run on the target.
        """
        key = self._key(candidate)
        if key not in self._known:
            model = None if candidate.blocks is not None else self._model(candidate.precision)
            self._note(
                {
                    "key": key,
                    "signature": candidate.signature,
                    "precision": candidate.precision,
                    "variant": self.variant_for(candidate.precision).name,
                    "profile": self.profile.name,
                    "predicted_ms": None
                    if model is None
                    else model.predict_ms(candidate.architecture.shapes),
                    "predicted_error": None if model is None else model.error,
                    **self._look(candidate, FIRST_LOOK * self.profile.max_seconds),
                }
            )
        return CandidateLatency.of(self._known[key])

    def measure_again(self, candidate: Candidate) -> CandidateLatency:
        """Its latency; where the first look left it uncertain, what a longer one found if that is narrower.

        A machine that was slow throughout the first look may be calm by then. The record in the run is
        replaced: the last line of a key counts. A graph that fails now keeps what it had; AgentError where
        the device is no longer there.
        """
        known = self.measure(candidate)
        record = self._known[self._key(candidate)]
        precision = self.profile.interval_precision
        few = len(record["samples_ms"]) < self.profile.min_runs  # whose interval may be narrow by luck
        sampled = record["conditions"].get("sampling_half_width", 0.0)
        if not few and known.half_width <= WIDE * precision and sampled <= precision:
            return known
        try:
            found = self._look(candidate)
        except AgentError:
            raise
        except TargetError:
            return known
        again = CandidateLatency.of(found)
        if again.half_width >= known.half_width:
            return known
        self._note({**record, **found})
        return again

    def moved_to(self, candidate: Candidate) -> float | None:
        """Milliseconds that a new look finds, where that contradicts what the run knows; else None.

        The run's record stays: other candidates were measured in the state that it is of.
        """
        known = self.measure(candidate)
        try:
            now = CandidateLatency.of(self._look(candidate, FIRST_LOOK * self.profile.max_seconds))
        except TargetError:
            return None
        apart = now.ci_ms[1] < known.ci_ms[0] or now.ci_ms[0] > known.ci_ms[1]
        return now.median_ms if apart and abs(now.median_ms / known.median_ms - 1) > MOVED else None

    def _look(self, candidate: Candidate, seconds: float | None = None) -> dict[str, Any]:
        """What the target finds of the candidate's graph, and the graph's size."""
        graph = self.build_light(candidate)
        session = self.variant_for(candidate.precision).session
        found = self.target.measure(graph, session=session, seconds=seconds)
        return {"size_bytes": graph.size_bytes, **found.to_json()}

    def _note(self, record: dict[str, Any]) -> None:
        self.run.append_latency(record)
        self._known[record["key"]] = record

    def _model(self, precision: str) -> AdditiveLatency | None:
        """Fitted to what was measured here in this precision."""
        start = f"{self._where(precision)}:{precision}:"
        here = [
            record
            for key, record in self._known.items()
            if key.startswith(start) and BLOCKS_MARK not in record["signature"]
        ]
        return AdditiveLatency.fit(
            [shapes_of(record["signature"]) for record in here],
            [record["corrected_median_ms"] for record in here],
        )

    def _key(self, candidate: Candidate) -> str:
        return f"{self._where(candidate.precision)}:{candidate.precision}:{candidate.signature}"

    def _where(self, precision: str) -> str:
        """Hash of profile, variant and conditions."""
        name = self.variant_for(precision).name
        where = json.dumps([self.profile.key(), name, self._conditions], sort_keys=True, default=str)
        return hashlib.sha256(where.encode()).hexdigest()[:16]


def shapes_of(signature: str) -> Shapes:
    """(heads, units) of each layer that stays, from `Architecture.signature`."""
    pairs = (layer.split("x") for layer in signature.split(","))
    return [(int(heads), int(units)) for heads, units in pairs]


def time_of(target: LatencyTarget) -> Callable[[onnx.ModelProto, Variant], float]:
    """Median milliseconds of a graph in a variant: what the choice of a variant compares."""

    def median_ms(graph: onnx.ModelProto, variant: Variant) -> float:
        return target.measure(graph, session=variant.session).corrected_median_ms

    return median_ms
