"""Labels of a task that has none of its own: what the dense model says."""

from __future__ import annotations

from compresskit.pipeline.training.models import Checkpoint, load_dense
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.tasks.task import Task
from compresskit.training.recipe import training_device


def with_dense_labels(task: Task, checkpoint: Checkpoint, seed: int) -> Task:
    """`task` with the answers of the checkpoint, as it is, for labels."""
    model = load_dense(checkpoint.for_kind(task.kind), task, seed).model
    network = SuperNetwork(model.to(training_device()))
    return task.taught(lambda split: predict(network, task, split))
