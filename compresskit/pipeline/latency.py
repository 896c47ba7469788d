"""Latency of candidates: sliced from one exported graph, measured once a key, remembered in the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import onnx

from compresskit.architecture import BLOCKS_MARK, Candidate
from compresskit.engine.graph import GraphSlicer
from compresskit.engine.quantize import to_precision
from compresskit.engine.variants import Variant
from compresskit.errors import TargetError
from compresskit.runs.directory import RunDirectory
from compresskit.search.additive import AdditiveLatency, Shapes
from compresskit.target.base import LatencyTarget, Measurement
from compresskit.target.light import LightGraph, without_weights
from compresskit.target.profile import Profile

WIDE = 3.0  # times the precision asked for: what the noise floor of a calm machine stays below


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
        slicer: GraphSlicer,
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

    def measure(self, candidate: Candidate) -> dict[str, Any]:
        """The latency record of the candidate, from the run if it is known there.

        Beside what was measured stands what an additive model of the earlier measurements predicted, None
        while there are too few. Raises TargetError when the graph does not run on the target.
        """
        signature = candidate.signature
        key = f"{self._where(candidate.precision)}:{candidate.precision}:{signature}"
        variant = self.variant_for(candidate.precision)
        if key not in self._known:
            model = None if candidate.blocks is not None else self._model(candidate.precision)
            graph = self.build_light(candidate)
            found: Measurement = self.target.measure(graph, session=variant.session)
            record = {
                "key": key,
                "signature": signature,
                "precision": candidate.precision,
                "variant": variant.name,
                "profile": self.profile.name,
                "size_bytes": graph.size_bytes,
                "predicted_ms": None if model is None else model.predict_ms(candidate.architecture.shapes),
                "predicted_error": None if model is None else model.error,
                **found.to_json(),
            }
            self.run.append_latency(record)
            self._known[key] = record
        return self._known[key]

    def measure_again(self, candidate: Candidate) -> dict[str, Any]:
        """Its latency record; where that has a wide interval, what a second look found if that is narrower.

        A machine that was slow throughout the first look may be calm by then. The record in the run is
        replaced: the last line of a key counts. A graph that fails now keeps what it had.
        """
        known = self.measure(candidate)
        low, high = known["corrected_ci_ms"]
        half_width = (high - low) / 2 / known["corrected_median_ms"]
        if half_width > WIDE * self.profile.interval_precision:
            variant = self.variant_for(candidate.precision)
            try:
                found = self.target.measure(self.build_light(candidate), session=variant.session)
            except TargetError:
                return known
            if found.half_width < half_width:
                known = {**known, **found.to_json()}
                self.run.append_latency(known)
                self._known[known["key"]] = known
        return known

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
