"""The checkpoint's weights and their score on the data, checked before a run begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy.typing as npt

from compresskit.display import Display, Say
from compresskit.errors import ConfigurationError
from compresskit.pipeline.inputs import Inputs
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.label_order import better_order
from compresskit.pipeline.training.models import load_dense
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.tasks.task import Task
from compresskit.training.recipe import training_device

_SUSPECTED = 0.05  # chance below which an order is named as the cause of a metric that is too low anyway


def check_dense(inputs: Inputs, settings: SearchSettings, display: Display) -> Inputs:
    """`inputs` with what there is to note of the checkpoint's weights.

    Raises ConfigurationError for weights that are not the configuration's, and, unless
    `settings.allow_weak_dense`, for a fine-tuned checkpoint that is no better on validation rows than
    the majority baseline, or whose labels fit the data clearly better in another order. What the
    checkpoint itself has labelled says nothing of it.
    """
    checkpoint, task = inputs.checkpoint, inputs.task
    with display.stage("loading the model's weights"):
        model, _, notes = load_dense(checkpoint, task, settings.seed)
    for note in notes:
        display(f"model: {note}")
    if checkpoint.is_fine_tuned and not task.kind.is_taught:
        network = SuperNetwork(model.to(training_device()))
        with display.stage("checking the model on the data", len(task.search), "rows") as counter:
            said = predict(network, task, task.search, counter=counter)
        found = _weakness(task, said, display)
        if found and not settings.allow_weak_dense:
            raise ConfigurationError(f"{found} Or continue as it is with --allow-weak-dense.")
        if found:
            display(f"warning: {found}")
    return replace(inputs, checkpoint=replace(checkpoint, notes=(*checkpoint.notes, *notes)))


def _weakness(task: Task, said: npt.NDArray[Any], say: Say) -> str | None:
    """What is wrong with a dense model of these predictions for `task.search`, and what to do."""
    labels = task.search.labels
    task = task.fitted(said, labels)
    metric, prior = task.score(said, labels), task.prior(task.search)
    scored = f"{task.metric_name} {metric:.4f} on validation, majority baseline {prior:.4f}"
    pairs = task.kind.class_pairs(task.kind.answers(said), labels)
    order = None if pairs is None else better_order(*pairs, task.kind.num_labels)
    if order is not None and (order.is_clear or (metric <= prior and order.p_value < _SUSPECTED)):
        return (
            f"the labels of the checkpoint fit the data in another order ({scored}): "
            f"{order.describe(task.kind.labels)}. Its accuracy in that order is {order.accuracy:.3f}, as "
            f"named {order.accuracy_as_named:.3f}. Correct id2label and label2id in its config.json, "
            "or the labels of the data."
        )
    if metric > prior:
        return None
    say(f"dense model: {scored}")
    causes = "another scale" if task.kind.is_regression else "another task"
    causes = f"labels in another order, {causes}" if pairs else causes
    return (
        f"the fine-tuned checkpoint is no better on {len(labels):,} validation rows than the majority "
        f"baseline ({task.metric_name} {metric:.4f} and {prior:.4f}). Likely causes: {causes}, another "
        "tokenizer, or text columns other than those it was trained on. Give a checkpoint that is fine-tuned "
        "for this data, or one without a head."
    )
