"""Directions along which a dense model's vectors differ most: the numbers that shortened ones have."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from compresskit.errors import ConfigurationError
from compresskit.pipeline.store.tensors import read_arrays
from compresskit.pipeline.training.models import load_model
from compresskit.runs.atomic import atomic_path
from compresskit.runs.directory import RunDirectory
from compresskit.supernet.embedder import width_of
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.tasks.agreement import COSINE, directions
from compresskit.tasks.embedding import Embedding
from compresskit.tasks.task import Task
from compresskit.training.recipe import training_device

ROTATION_FILE = "rotation.safetensors"
_TEXTS = 4_096  # ten times the numbers of a vector
Rotation = npt.NDArray[np.float32]


def check_dims(dims: int, task: Task, config: Any) -> None:
    """ConfigurationError unless vectors of `task` may be shortened to `dims` numbers."""
    if not task.kind.is_vector:
        raise ConfigurationError(
            f"dims shortens vectors of texts, which task {task.kind.name} does not give; leave it out."
        )
    width = width_of(config)
    if not 0 < dims < width:
        raise ConfigurationError(
            f"dims is {dims}; permitted: 1 to {width - 1}, below the model's own {width}."
        )
    if task.metric_name == COSINE:
        raise ConfigurationError(
            "metric cosine compares vectors of one width; with dims take rank_agreement or neighbours."
        )


def rotation_of(run: RunDirectory, task: Task) -> Rotation:
    """(hidden, hidden) orthonormal columns, by what share of the dense model's vectors lies along each.

    Cosines stay as they are under all of them, and change least under the first so many: a principal
    component analysis of vectors of training texts, whose mean is not taken off, since cosines are of angles
    at 0. It is kept in the run, so that all engines of one width have the same numbers. Maxima over tokens do
    not rotate: with pooling max the first numbers are the model's own.
    """
    file = run.supernet / ROTATION_FILE
    if file.exists():
        return read_arrays(file, ("rotation",), "Remove it.")["rotation"]
    assert isinstance(task.kind, Embedding)
    network = SuperNetwork(load_model(run.supernet / "dense_model").to(training_device()))
    chosen = np.random.default_rng(0).permutation(len(task.train))[:_TEXTS]
    vectors = directions(predict(network, task, task.train.subset(chosen)))
    found = np.eye(vectors.shape[1], dtype=np.float32)
    if task.kind.sentence.pooling != "max":
        found = np.linalg.eigh(vectors.T @ vectors)[1][:, ::-1].astype(np.float32)
    with atomic_path(file) as path:
        save_file({"rotation": np.ascontiguousarray(found)}, path)
    return found
