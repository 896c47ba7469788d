"""Error and latency of a candidate: the one function that a search sees."""

from __future__ import annotations

from collections.abc import Mapping

from compresskit.architecture import Architecture, Candidate
from compresskit.engine.score import logits_of
from compresskit.families import Blueprint
from compresskit.pipeline.latency import LatencyMeter
from compresskit.pipeline.points import read_point
from compresskit.search.loop import Evaluation
from compresskit.supernet.network import SuperNetwork
from compresskit.target.profile import Profile
from compresskit.tasks.task import Split
from compresskit.training.stages import Stage, quick_score, score


class Evaluator:
    """Scores with the shared weights on validation rows and measures on the target.

    Metrics of fp32 come from the sub-network in PyTorch while the search lasts, in bfloat16 where that
    is fast; the front is scored in float32, and engines by ONNX Runtime when they are exported. Of
    other precisions ONNX Runtime computes them, with the graph that is measured. `known` metrics, all
    of fp32, are not computed again. `weights` of a trial's own are those of `pipeline.points`; None
    means the shared ones.
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

    def __call__(self, candidate: Candidate, weights: str | None = None) -> Evaluation:
        """Raises TargetError when the candidate does not run on the target."""
        latency = self.meter.measure(candidate)
        shared = candidate.precision == "fp32" and weights is None
        metric = self.known.get(candidate.architecture) if shared else None
        return Evaluation(
            metric=self.search_metric(candidate, weights) if metric is None else metric,
            latency_ms=latency.median_ms,
            latency_ci_ms=latency.ci_ms,
            num_params=self.blueprint.num_params(candidate.architecture) - _gone(candidate),
            macs=self.macs(candidate.architecture)
            - self.profile.length * self.profile.batch * _gone(candidate),
            size_bytes=latency.size_bytes,
        )

    def search_metric(self, candidate: Candidate, weights: str | None = None) -> float:
        """The metric on the rows that a search scores, as a fraction: good enough to rank by."""
        if candidate.precision != "fp32":
            return self.metric(candidate, self.stage.task.search, weights)
        return quick_score(self._network(weights), self.stage, candidate.architecture)

    def metric(self, candidate: Candidate, split: Split, weights: str | None = None) -> float:
        """The task's metric on `split`, as a fraction."""
        if weights is not None or candidate.precision == "fp32":
            return score(self._network(weights), self.stage, split, candidate.architecture)
        logits = logits_of(
            self.meter.build(candidate),
            split.encoded,
            self.meter.variant_for(candidate.precision).session,
            pad_id=self.stage.pad_id,
            provider=self.profile.scoring_provider,
        )
        return self.stage.task.score(logits, split.labels)

    def _network(self, weights: str | None) -> SuperNetwork:
        if weights is None:
            return self.supernet
        network = SuperNetwork(read_point(self.meter.run.path, weights)[1])
        return network.to(next(self.supernet.parameters()).device)

    def macs(self, architecture: Architecture) -> int:
        """Multiply-accumulates at the profile's batch and length."""
        return self.blueprint.macs(architecture, self.profile.length, self.profile.batch)

    @property
    def blueprint(self) -> Blueprint:
        return self.supernet.blueprint


def _gone(candidate: Candidate) -> int:
    """Weights that the candidate's blocks leave out; each is one multiplication a token."""
    return 0 if candidate.blocks is None else candidate.blocks.dense_params - candidate.blocks.num_params
