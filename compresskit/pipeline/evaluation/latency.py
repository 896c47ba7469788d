"""Latency of candidates: sliced from one exported graph, measured once a key, remembered in the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from compresskit.architecture import BLOCKS_MARK, PRECISIONS, Candidate
from compresskit.engine.quantize import to_precision
from compresskit.engine.variants import Variant
from compresskit.errors import AgentError, TargetError
from compresskit.pipeline.evaluation.latency_record import CandidateLatency, at_level, shapes_of
from compresskit.pipeline.evaluation.slicers import Slicer
from compresskit.pipeline.evaluation.speedup import SpeedUp, combined
from compresskit.runs.directory import RunDirectory
from compresskit.searchers.additive import AdditiveLatency
from compresskit.target.base import LatencyTarget, Measurement, SessionSettings
from compresskit.target.external_weights import LightGraph, without_weights
from compresskit.target.profile import Profile

FIRST_LOOK = 0.3  # of the profile's seconds: a searcher ranks by less than a front promises
SAME_LEVEL = 0.005  # levels that are no further apart are one


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
        self.dense = Candidate(slicer.full)
        self._conditions = target.conditions()
        self._known: dict[str, Mapping[str, Any]] = {record["key"]: record for record in run.latencies()}

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

    def measure_dense(self) -> CandidateLatency:
        """The dense model's latency, by a look of full length: the milliseconds of a front rest on it.

        The narrower of this look and the one of the search is kept.
        """
        known = self.measure(self.dense)
        record = self._known[self._key(self.dense)]
        if record.get("seconds") is None and "rounds_ms" in record:
            return known
        try:
            found = {**record, **self._look(self.dense, None), "seconds": None}
        except AgentError:
            raise
        except TargetError:
            return known
        narrower = CandidateLatency.of(found).half_width < known.half_width
        self._note(found if narrower else {**record, "seconds": None})
        return self.measure(self.dense)

    def known(self, candidate: Candidate) -> CandidateLatency | None:
        """What the run knows of it under these conditions; None if nothing."""
        record = self._known.get(self._key(candidate))
        return None if record is None else CandidateLatency.of(record)

    def measure(self, candidate: Candidate) -> CandidateLatency:
        """The candidate's latency, from the run if it is known there.

        Beside what was measured, the run's record has what an additive model of the earlier measurements
        predicted, None while there are too few. On a busy machine this look ends before the profile's
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
                    **self._look(candidate, self._first_look),
                }
            )
        return CandidateLatency.of(self._known[key])

    def measure_beside(self, candidate: Candidate, reference: Path, session: SessionSettings) -> Measurement:
        """A look at the candidate with this graph for reference; nothing is recorded."""
        graph = self.build_light(candidate)
        return self._measured(candidate, graph, reference, session, seconds=self._first_look)

    def note_speedup(self, candidate: Candidate, looks: Sequence[SpeedUp]) -> CandidateLatency:
        """Keep what was found beside the dense model. Its latency is the dense model's over the speed-up."""
        record = self._known[self._key(candidate)]
        each = [look.to_json() for look in looks]
        self._note(self._over_dense({**record, "speedup": combined(looks).to_json(), "looks": each}))
        return self.measure(candidate)

    def settle(self) -> None:
        """Correct all latencies of the run to one state: the lowest levels of the references met."""
        records = [record for record in self._known.values() if record["reference_level_ms"]]
        lowest: dict[Any, float] = {}
        for record in records:
            level = record["reference_level_ms"]
            lowest[_state(record)] = min(lowest.get(_state(record), level), level)
        for record in records:
            level = lowest[_state(record)]
            if level < record["reference_level_ms"] * (1 - SAME_LEVEL):
                self._note(at_level(record, level))
        here = self._where(self.dense.precision)
        if not any(key.startswith(here) for key in self._known):
            return  # all of it was measured under other conditions
        where = {self._where(precision) for precision in PRECISIONS}
        known = [each for key, each in self._known.items() if key.partition(":")[0] in where]
        for record in [each for each in known if each.get("speedup")]:
            settled = self._over_dense(record)
            if settled["corrected_median_ms"] != record["corrected_median_ms"]:
                self._note(settled)

    def _over_dense(self, record: Mapping[str, Any]) -> dict[str, Any]:
        found, dense = SpeedUp.from_json(record["speedup"]), self.measure(self.dense)
        latency = dense.median_ms / found.times
        error = float(np.exp(np.hypot(found.half_width, dense.half_width)))
        return {
            **record,
            "marks": list(dense.marks),
            "corrected_median_ms": latency,
            "corrected_ci_ms": [latency / error, latency * error],
        }

    def _look(self, candidate: Candidate, seconds: float | None) -> dict[str, Any]:
        """What the target finds of the candidate's graph within so many seconds, and the graph's size."""
        graph = self.build_light(candidate)
        found = self._measured(candidate, graph, seconds=seconds)
        return {"size_bytes": graph.size_bytes, "seconds": seconds, **found.to_json()}

    def _measured(
        self,
        candidate: Candidate,
        graph: LightGraph,
        reference: Path | None = None,
        reference_session: SessionSettings | None = None,
        *,
        seconds: float | None,
    ) -> Measurement:
        return self.target.measure(
            graph,
            reference=reference,
            session=self.variant_for(candidate.precision).session,
            reference_session=reference_session,
            seconds=seconds,
        )

    @property
    def _first_look(self) -> float:
        return FIRST_LOOK * self.profile.max_seconds

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


def _state(record: Mapping[str, Any]) -> tuple[Any, Any]:
    """Which levels belong together: one reference under one set of conditions."""
    return record["conditions"].get("reference"), record["conditions"].get("key")


def time_of(target: LatencyTarget) -> Callable[[onnx.ModelProto, Variant], float]:
    """Median milliseconds of a graph in a variant: what the choice of a variant compares."""

    def median_ms(graph: onnx.ModelProto, variant: Variant) -> float:
        return target.measure(graph, session=variant.session).corrected_median_ms

    return median_ms
