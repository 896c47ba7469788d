"""The precision of an engine, by what it costs in latency and metric on the device."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy.typing as npt
from onnx import ModelProto

from compresskit.display import Display
from compresskit.engine.precision import (
    ENGINE_PRECISIONS,
    PrecisionTrial,
    choose_precision,
    loses_more,
    refusal,
)
from compresskit.engine.sensitivity import quantize_partly, rank_groups, weight_groups
from compresskit.errors import AgentError, EngineError, TargetError
from compresskit.pipeline.exporting.corpus import Corpus
from compresskit.pipeline.exporting.device import Device
from compresskit.pipeline.exporting.graph_builder import GraphBuilder, Made
from compresskit.target.base import SessionSettings
from compresskit.target.comparison_result import Comparison

SENSITIVITY_ROWS = 256


@dataclass(frozen=True, eq=False)
class ChosenPrecision:
    """The graph to ship, and for the manifest every trial with the reason why it was not."""

    made: Made
    trials: list[dict[str, Any]]


class PrecisionChooser:
    """Chooses on validation rows and on the device; the test set plays no part.

    `max_drop` is in points: 1 means a metric of 0.01 below that of fp32 with the same embeddings.
    """

    def __init__(
        self,
        builder: GraphBuilder,
        device: Device,
        corpus: Corpus,
        max_drop: float,
        display: Display,
    ) -> None:
        self.builder = builder
        self.device = device
        self.task = corpus.task
        self.validation = corpus.validation
        self.max_drop = max_drop
        self.display = display

    def automatic(self) -> ChosenPrecision:
        """The fastest of all precisions within the drop, measured turn about."""
        whole = self.builder.make("fp32")
        wanted = self._told_metric("fp32", whole)
        made: dict[str, Made] = {}
        trials = [PrecisionTrial("fp32", None, wanted)]
        made["fp32"] = whole
        for precision in ENGINE_PRECISIONS[1:]:
            reason = refusal(precision, self.device.profile.provider)
            if reason is not None:
                trials.append(PrecisionTrial(precision, None, None, reason))
                continue
            try:
                for each, metric in self._attempts(precision, wanted):
                    trial = PrecisionTrial(precision, None, metric, float_layers=each.float_layers)
                    made[trial.name] = each
                    trials.append(trial)
            except AgentError:
                raise
            except (EngineError, TargetError) as error:
                trials.append(PrecisionTrial(precision, None, None, str(error)))
        self.display(f"comparing {', '.join(made)} on the device")
        compared = self.device.compare(
            [(name, each.graph, each.variant.session) for name, each in made.items()], "fp32"
        )
        trials = with_latencies(trials, compared)
        choice = choose_precision(trials, max_drop=self.max_drop)
        for name, reason in choice.reasons.items():
            self.display(f"not {name}: {reason}")
        chosen = choice.chosen
        assert chosen.metric is not None
        self.display(f"precision {chosen.name}: {chosen.latency_ms:.3f} ms")
        return ChosenPrecision(made[chosen.name], choice.to_json(trials))

    def within_drop(self, precision: str) -> ChosenPrecision:
        """One precision, with as many layers in float as the drop asks for.

        EngineError where even that does not keep the metric.
        """
        whole = self.builder.make("fp32")
        wanted = self._told_metric("fp32", whole)
        trials = [PrecisionTrial("fp32", None, wanted)]
        for each, metric in self._attempts(precision, wanted):
            trials.append(PrecisionTrial(precision, None, metric, float_layers=each.float_layers))
            if not loses_more(metric, wanted, self.max_drop):
                reasons = ["fp32 was not asked for", "it loses more than permitted"][: len(trials) - 1]
                rows = [
                    {**asdict(trial), "reason": reason}
                    for trial, reason in zip(trials, [*reasons, None], strict=True)
                ]
                return ChosenPrecision(each, rows)
        lost = (wanted - (trials[-1].metric or 0.0)) * 100
        raise EngineError(
            f"{precision} loses {lost:.2f} points of {self.task.metric_name} on validation data, "
            f"{self.max_drop:g} are permitted, and no choice of layers in float helps. "
            "Permit more by --precision-drop, or export in fp32."
        )

    def _attempts(self, precision: str, wanted: float) -> list[tuple[Made, float]]:
        """The whole graph in a precision and its metric; where that loses too much, a mixed one beside it."""
        made = self.builder.make(precision)
        metric = self._told_metric(precision, made)
        found = [(made, metric)]
        if loses_more(metric, wanted, self.max_drop) and precision.startswith("int8"):
            mixed = self._mixed(made, wanted)
            if mixed is not None:
                found.append(mixed)
        return found

    def _mixed(self, made: Made, wanted: float) -> tuple[Made, float] | None:
        """`made` with its most sensitive layers in float, as few as keep the metric."""
        session = made.variant.session
        plain = self.builder.in_float(made.variant)
        quantize = self.builder.quantizer(made.precision, made.variant)
        rows = self.validation.encoded[:SENSITIVITY_ROWS]
        name = f"layers that {made.precision} hurts most"
        with self.display.stage(name, 1 + len(weight_groups(plain)), "layers") as counter:

            def logits(graph: ModelProto) -> npt.NDArray[Any]:
                counter.advance()
                return self.device.logits(graph, rows, session)

            ranked = rank_groups(plain, quantize, logits)

        def accept(graph: ModelProto) -> float | None:
            metric = self._metric(self.builder.finished(deepcopy(graph)), session)
            return None if loses_more(metric, wanted, self.max_drop) else metric

        partly = quantize_partly(plain, quantize, [group for group, _ in ranked], accept)
        if partly is None:
            return None
        mixed = self.builder.remade(made, partly)
        self._say_metric(f"{made.precision} but {', '.join(mixed.float_layers)} in float", partly.metric)
        return mixed, partly.metric

    def _metric(self, graph: ModelProto, session: SessionSettings) -> float:
        rows = self.validation.encoded
        predictions = self.task.kind.predictions(self.device.logits(graph, rows, session), rows)
        labels = self.validation.labels
        return self.task.fitted(predictions, labels).score(predictions, labels)

    def _told_metric(self, name: str, made: Made) -> float:
        with self.display.stage(f"{name} on validation data"):
            metric = self._metric(made.graph, made.variant.session)
        self._say_metric(name, metric)
        return metric

    def _say_metric(self, name: str, metric: float) -> None:
        self.display(f"{name}: {self.task.metric_name} {metric:.4f} on validation data")


def with_latencies(trials: list[PrecisionTrial], compared: Comparison) -> list[PrecisionTrial]:
    """The trials with the median and interval that the comparison gave each by its name."""
    known = {each.name: each for each in compared.measurements}
    return [
        replace(trial, latency_ms=known[trial.name].median_ms, latency_ci_ms=known[trial.name].ci_ms)
        if trial.name in known
        else trial
        for trial in trials
    ]
