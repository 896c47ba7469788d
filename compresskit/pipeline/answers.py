"""What a run's dense model says of validation rows, beside its weights: what is compressed is held to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from compresskit.pipeline.ranks import is_first
from compresskit.runs.atomic import atomic_path
from compresskit.tasks.metrics import answers_of

ANSWERS_FILE = "dense_answers.safetensors"


@dataclass(frozen=True, eq=False)
class DenseAnswers:
    """Class ids or values, (rows,) each: of the validation rows, and of those that a search scores on."""

    validation: npt.NDArray[Any]
    search: npt.NDArray[Any]

    @classmethod
    def of(cls, metric_name: str, validation: npt.NDArray[Any], search: npt.NDArray[Any]) -> DenseAnswers:
        """From the logits (rows, labels) of the dense model, asked as sub-networks are: see `Evaluator`."""
        return cls(answers_of(metric_name, validation), answers_of(metric_name, search))

    def save(self, folder: Path) -> None:
        """Write them into the folder of a run's super-network."""
        if not is_first():
            return
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(folder / ANSWERS_FILE) as path:
            save_file({name: np.ascontiguousarray(rows) for name, rows in vars(self).items()}, path)

    @classmethod
    def read(cls, folder: Path) -> DenseAnswers | None:
        """What `save` wrote there; None in a run that is older than it."""
        if not (folder / ANSWERS_FILE).exists():
            return None
        return cls(**load_file(folder / ANSWERS_FILE))
