"""The score of an engine that was just written: raw test texts through the loader that will serve it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto
from torch import nn

from compresskit.bundle import Engine
from compresskit.bundle.batching import run_rows
from compresskit.display import UNCOUNTED, Counter, Display
from compresskit.engine.verify import verify_session
from compresskit.errors import EngineError
from compresskit.inputs import Row
from compresskit.pipeline.evaluation.judges import known_by
from compresskit.pipeline.exporting.corpus import Corpus
from compresskit.pipeline.exporting.device import Device
from compresskit.runs.judged import Judged
from compresskit.runs.tested import OnTest
from compresskit.target.base import SessionSettings
from compresskit.tasks.base import TaskKind
from compresskit.tasks.task import JudgeSet


@dataclass(frozen=True, eq=False)
class Examination:
    """Called with an engine as it loads from its folder, it returns the manifest's fields on the test set.

    `model` is its PyTorch model, which an `exact` engine must equal (EngineError); `device`, where it is
    not this machine's CPU, computes the logits that count. `figures` are what these say; the test set is
    computed once. What the task chooses for an engine, it chooses on validation rows first. `dense`: what
    judges said of the dense model.
    """

    corpus: Corpus
    model: nn.Module
    graph: ModelProto
    device: Device | None
    exact: bool
    figures: Callable[[TaskKind, npt.NDArray[Any]], OnTest]
    display: Display
    dense: Mapping[str, Judged]

    def __call__(self, engine: Engine) -> dict[str, Any]:
        task = self.corpus.task
        rows = engine.encode(task.test.raw)
        self._check_encoding(engine, rows)
        with self.display.stage("verifying on the test set", 2 * len(rows), "rows") as counter:
            difference, logits = verify_session(
                engine.session, self.model, rows, exact=self.exact, inputs=engine.inputs, counter=counter
            )
        self.display(f"largest difference to PyTorch on the test set: {difference:.1e}")
        if self.device is not None and not self.device.is_this_cpu:
            logits = self._logits(engine, rows)
        kind = self._chosen(engine)
        found = self.figures(kind, kind.predictions(logits, rows))
        return {
            "test_metric": found.metric,
            "test": found.in_manifest(),
            "task": kind.to_json(),
            "judges": {name: self._judged(name, each, engine) for name, each in task.judges.items()},
        }

    def _chosen(self, engine: Engine) -> TaskKind:
        kind, validation = self.corpus.task.kind, self.corpus.validation
        if not kind.is_chosen:
            return kind
        rows = engine.encode(validation.raw)
        with self.display.stage("the engine on validation data", len(rows), "rows") as counter:
            logits = self._logits(engine, rows, counter)
        return kind.fitted(kind.predictions(logits, rows), validation.labels)

    def _judged(self, name: str, judge: JudgeSet, engine: Engine) -> dict[str, Any]:
        """What `judge` says of the engine, and what it said of the dense model."""
        rows = engine.encode(judge.split.raw)
        with self.display.stage(f"judge {name}", len(rows), "rows") as counter:
            predictions = self.corpus.task.kind.predictions(self._logits(engine, rows, counter), rows)
        found = known_by(judge, [judge.answers(predictions)], None)[0].to_json()
        del found["difference_ci"]
        return found | ({"dense_metric": self.dense[name].metric} if name in self.dense else {})

    def _logits(self, engine: Engine, rows: Sequence[Row], counter: Counter = UNCOUNTED) -> npt.NDArray[Any]:
        if self.device is None or self.device.is_this_cpu:
            return run_rows(engine.session, rows, inputs=engine.inputs, counter=counter)
        return self.device.logits(self.graph, rows, SessionSettings.from_json(engine.manifest.session))

    def _check_encoding(self, engine: Engine, rows: Sequence[Row]) -> None:
        """EngineError where the engine reads a text otherwise than training would.

        A vocabulary that was cut knows only the texts that it was cut to.
        """
        split = self.corpus.task.test
        if self.corpus.is_trimmed:
            split = self.corpus.validation
            rows = engine.encode(split.raw)
        for origin, found, wanted in zip(split.origins, rows, split.encoded, strict=True):
            for name in found.keys() & wanted.keys():
                if _differ(found[name], wanted[name]):
                    raise EngineError(
                        f"the engine would encode {split.texts[origin][0][:60]!r} differently from training: "
                        f"{name} {list(found[name])[:8]}, not {list(wanted[name])[:8]}. Nothing was written; "
                        "please report the model and its tokenizer."
                    )


def _differ(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, np.ndarray) and wanted.ndim > 1:  # an image
        return not np.array_equal(found, wanted)
    return list(found) != list(wanted)
