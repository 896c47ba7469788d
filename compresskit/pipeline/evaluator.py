"""Error and latency of a candidate: the one function that a search sees."""

from __future__ import annotations

from collections.abc import Mapping

from compresskit.architecture import Architecture, Candidate
from compresskit.families import Blueprint
from compresskit.pipeline.latency import LatencyMeter
from compresskit.search.loop import Evaluation
from compresskit.supernet.network import SuperNetwork
from compresskit.target.profile import Profile
from compresskit.tasks.task import Split
from compresskit.training.stages import Stage, score


class Evaluator:
    """Scores with the shared weights on validation rows and measures on the target.

    Metrics come from the sub-network in PyTorch, in float32, while the search lasts; engines are
    scored by ONNX Runtime when they are exported. `known` metrics are not computed again.
    """

    def __init__(
        self,
        supernet: SuperNetwork,
        stage: Stage,
        meter: LatencyMeter,
        profile: Profile,
        known: Mapping[Architecture, float],
    ) -> None:
        self.known = known
        self.supernet = supernet
        self.stage = stage
        self.meter = meter
        self.profile = profile

    def __call__(self, candidate: Candidate) -> Evaluation:
        """Raises TargetError when the candidate does not run on the target."""
        latency = self.meter.measure(candidate)
        low, high = latency["corrected_ci_ms"]
        metric = self.known.get(candidate.architecture)
        return Evaluation(
            metric=self.metric(candidate.architecture, self.stage.task.search) if metric is None else metric,
            latency_ms=latency["corrected_median_ms"],
            latency_ci_ms=(low, high),
            num_params=self.blueprint.num_params(candidate.architecture),
            macs=self.macs(candidate.architecture),
            size_bytes=latency["size_bytes"],
        )

    def metric(self, architecture: Architecture, split: Split) -> float:
        return score(self.supernet, self.stage, split, architecture)

    def macs(self, architecture: Architecture) -> int:
        """Multiply-accumulates at the profile's batch and length."""
        return self.blueprint.macs(architecture, self.profile.length, self.profile.batch)

    @property
    def blueprint(self) -> Blueprint:
        return self.supernet.blueprint
