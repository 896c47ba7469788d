"""Error and latency of a candidate: the one function that a search sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy.typing as npt

from compresskit.architecture import Architecture, Candidate
from compresskit.engine.score import logits_of
from compresskit.families import Blueprint
from compresskit.pipeline.evaluation.latency import LatencyMeter
from compresskit.pipeline.evaluation.pairing import DensePairs
from compresskit.pipeline.store.dense_predictions import Answered, DenseAnswers
from compresskit.pipeline.store.trial_weights import read_point
from compresskit.searchers.loop import Evaluation
from compresskit.searchers.objectives import worth
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.target.profile import Profile
from compresskit.tasks.task import Split
from compresskit.training.stages import Stage, quick_predict


class Scores(NamedTuple):
    """The metric; fidelity, which is the same with the dense model's answers for labels; `worth` of both.

    Without these answers the last two are None.
    """

    metric: float
    fidelity: float | None = None
    worth: float | None = None


class Evaluator:
    """Scores with the shared weights on validation rows and measures on the target.

    Metrics of fp32 come from the sub-network in PyTorch while the search lasts, in bfloat16 where that
    is fast; the front is scored in float32, and engines by ONNX Runtime when they are exported. Of
    other precisions ONNX Runtime computes them, with the graph that is measured. `known` scores, all
    of fp32, are not computed again. `weights` of a trial's own are those of
    `pipeline.store.trial_weights`; None means the shared ones.
    """

    def __init__(
        self,
        supernet: SuperNetwork,
        stage: Stage,
        meter: LatencyMeter,
        profile: Profile,
        known: Mapping[Architecture, Scores],
        dense: DenseAnswers | None = None,
    ) -> None:
        self.known = known
        self.supernet = supernet
        self.stage = stage
        self.meter = meter
        self.pairs = DensePairs(meter)
        self.profile = profile
        self.dense = dense

    def __call__(self, candidate: Candidate, weights: str | None = None) -> Evaluation:
        """Raises TargetError when the candidate does not run on the target."""
        latency = self.meter.measure(candidate)
        shared = candidate.precision == "fp32" and weights is None
        scores = self.known.get(candidate.architecture) if shared else None
        scores = scores or self.search_scores(candidate, weights)
        return Evaluation(
            metric=scores.metric,
            fidelity=scores.fidelity,
            worth=scores.worth,
            latency_ms=latency.median_ms,
            latency_ci_ms=latency.ci_ms,
            num_params=self.blueprint.num_params(candidate.architecture) - _gone(candidate),
            macs=self.macs(candidate.architecture)
            - self.profile.length * self.profile.texts * _gone(candidate),
            size_bytes=latency.size_bytes,
        )

    def search_scores(self, candidate: Candidate, weights: str | None = None) -> Scores:
        """On the rows that a search scores: good enough to rank by."""
        split = self.stage.task.search
        if candidate.precision == "fp32":
            said = quick_predict(self._network(weights), self.stage, candidate.architecture)
        else:
            said = self.predictions(candidate, split, weights)
        return self._scores(said, split, None if self.dense is None else self.dense.search)

    def validated(self, candidate: Candidate, weights: str | None = None) -> tuple[Scores, npt.NDArray[Any]]:
        """Scores on all validation rows, and the candidate's answers."""
        task = self.stage.task
        said = self.predictions(candidate, task.validation, weights)
        dense = None if self.dense is None else self.dense.validation
        answers = task.fitted(said, task.validation.labels).kind.answers(said)
        return self._scores(said, task.validation, dense), answers

    def _scores(self, said: npt.NDArray[Any], split: Split, dense: Answered | None) -> Scores:
        task = self.stage.task.fitted(said, split.labels)
        metric = task.score(said, split.labels)
        if dense is None:
            return Scores(metric)
        fidelity = task.score(said, dense.answers)
        return Scores(metric, fidelity, worth(metric, fidelity, dense.metric))

    def predictions(self, candidate: Candidate, split: Split, weights: str | None) -> npt.NDArray[Any]:
        """As a front is scored."""
        task = self.stage.task
        if weights is not None or candidate.precision == "fp32":
            network = self._network(weights)
            return predict(network, task, split, architecture=candidate.architecture)
        logits = logits_of(
            self.meter.build(candidate),
            split.encoded,
            self.meter.variant_for(candidate.precision).session,
            inputs=task.inputs,
            provider=self.profile.scoring_provider,
        )
        return task.kind.predictions(logits, split.encoded)

    def _network(self, weights: str | None) -> SuperNetwork:
        if weights is None:
            return self.supernet
        network = SuperNetwork(read_point(self.meter.run.path, weights)[1])
        return network.to(next(self.supernet.parameters()).device)

    def macs(self, architecture: Architecture) -> int:
        """Multiply-accumulates at the profile's batch and length."""
        return self.blueprint.macs(architecture, self.profile.length, self.profile.texts)

    @property
    def blueprint(self) -> Blueprint:
        return self.supernet.blueprint


def _gone(candidate: Candidate) -> int:
    """Weights that the candidate's blocks leave out; each is one multiplication a token."""
    return 0 if candidate.blocks is None else candidate.blocks.dense_params - candidate.blocks.num_params
