"""The dense model's predictions on validation rows, kept in a run: fidelity is measured against them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from compresskit.pipeline.store.tensors import read_arrays
from compresskit.pipeline.training.ranks import is_first
from compresskit.runs import RunDirectory
from compresskit.runs.atomic import atomic_path
from compresskit.tasks.task import Split, Task

ANSWERS_FILE = "dense_answers.safetensors"


@dataclass(frozen=True, eq=False)
class Answered:
    """A model's answers, in the form of the task's labels, and the metric that they have."""

    answers: npt.NDArray[Any]
    metric: float

    @classmethod
    def of(cls, task: Task, predictions: npt.NDArray[Any], split: Split) -> Answered:
        """From the predictions of the dense model on `split`."""
        return cls(task.kind.answers(predictions), task.score(predictions, split.labels))


@dataclass(frozen=True, eq=False)
class DenseAnswers:
    """Of the validation rows and of those that a search scores on, asked as sub-networks: see `Evaluator`.

    A run keeps the answers beside the weights and the two metrics in run.json.
    """

    validation: Answered
    search: Answered

    def save(self, folder: Path) -> None:
        """Write the answers into the folder of a run's super-network."""
        if not is_first():
            return
        folder.mkdir(parents=True, exist_ok=True)
        kept = {"validation": self.validation.answers, "search": self.search.answers}
        with atomic_path(folder / ANSWERS_FILE) as path:
            save_file({name: np.ascontiguousarray(answers) for name, answers in kept.items()}, path)

    @classmethod
    def of(cls, run: RunDirectory) -> DenseAnswers | None:
        """What `run` holds; None in one that is older than the file."""
        if not (run.supernet / ANSWERS_FILE).exists():
            return None
        remedy = "Remove the folder dense_model beside it, then continue with --resume."
        kept, info = read_arrays(run.supernet / ANSWERS_FILE, ("validation", "search"), remedy), run.info
        return cls(
            Answered(kept["validation"], info["dense_metric"]),
            Answered(kept["search"], info["dense_search_metric"]),
        )
