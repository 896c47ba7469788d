"""Latency of candidates: sliced from one exported graph, measured once a key, remembered in the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import onnx

from compresskit.architecture import Candidate
from compresskit.engine.graph import GraphSlicer
from compresskit.engine.quantize import to_precision
from compresskit.engine.variants import Variant
from compresskit.runs.directory import RunDirectory
from compresskit.target.base import LatencyTarget, Measurement
from compresskit.target.profile import Profile


class LatencyMeter:
    """Measures candidates on one target; candidates of one signature share a measurement.

    A latency is keyed by signature, precision, variant, profile and the target's own conditions.
    """

    def __init__(
        self,
        run: RunDirectory,
        target: LatencyTarget,
        profile: Profile,
        slicer: GraphSlicer,
        variant: Variant,
    ) -> None:
        self.run = run
        self.target = target
        self.profile = profile
        self.slicer = slicer
        self.variant = variant
        where = json.dumps([profile.key(), variant.name, target.conditions()], sort_keys=True, default=str)
        self._where = hashlib.sha256(where.encode()).hexdigest()[:16]
        self._known = {record["key"]: record for record in run.latencies()}

    def build(self, candidate: Candidate) -> bytes:
        """The candidate's graph as it is measured: sliced, in its precision, in the chosen variant."""
        graph: onnx.ModelProto = self.slicer.slice(candidate.architecture)
        graph = to_precision(self.variant.apply(graph), candidate.precision)
        return graph.SerializeToString()  # type: ignore[no-any-return]

    def measure(self, candidate: Candidate) -> dict[str, Any]:
        """The latency record of the candidate, from the run if it is known there.

        Raises TargetError when the graph does not run on the target.
        """
        signature = candidate.architecture.signature
        key = f"{self._where}:{candidate.precision}:{signature}"
        if key not in self._known:
            graph = self.build(candidate)
            found: Measurement = self.target.measure(graph, session=self.variant.session)
            record = {
                "key": key,
                "signature": signature,
                "precision": candidate.precision,
                "variant": self.variant.name,
                "profile": self.profile.name,
                "size_bytes": len(graph),
                **found.to_json(),
            }
            self.run.append_latency(record)
            self._known[key] = record
        return self._known[key]


def time_of(target: LatencyTarget) -> Callable[[onnx.ModelProto, Variant], float]:
    """Median milliseconds of a graph in a variant: what the choice of a variant compares."""

    def median_ms(graph: onnx.ModelProto, variant: Variant) -> float:
        return target.measure(graph.SerializeToString(), session=variant.session).median_ms

    return median_ms
