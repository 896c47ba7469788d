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
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.tasks.metrics import answers_of
from compresskit.training.recipe import quick_forward
from compresskit.training.stages import Stage

ANSWERS_FILE = "dense_answers.safetensors"


@dataclass(frozen=True, eq=False)
class DenseAnswers:
    """Class ids or values, (rows,) each: of the validation rows, and of those that a search scores on."""

    validation: npt.NDArray[Any]
    search: npt.NDArray[Any]

    @classmethod
    def of(cls, network: SuperNetwork, stage: Stage) -> DenseAnswers:
        """The answers of a dense model, as sub-networks are asked: see `Evaluator`."""
        task = stage.task
        validation = predict(network, task.validation, pad_id=stage.pad_id)
        with quick_forward(next(network.parameters()).device):
            search = predict(network, task.search, pad_id=stage.pad_id)
        return cls(answers_of(task.metric_name, validation), answers_of(task.metric_name, search))

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
