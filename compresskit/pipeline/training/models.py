"""Checkpoints: what the user gave, the dense model, and the shared weights of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import nn
from transformers import set_seed
from transformers.utils import logging as transformers_logging

from compresskit.errors import ConfigurationError, RunError, reason_of
from compresskit.exhausted import is_out_of_memory
from compresskit.inputs import IMAGES, PIXELS, InputSpec, text_inputs
from compresskit.pipeline.checkpoint.configuration import read_configuration
from compresskit.pipeline.checkpoint.folder import check_folder
from compresskit.pipeline.checkpoint.head import architectures_of, read_head
from compresskit.pipeline.checkpoint.images import fit_positions, of_stored_size, open_image_processor
from compresskit.pipeline.checkpoint.sentence import sentence_of
from compresskit.pipeline.checkpoint.tokenizer import open_tokenizer
from compresskit.pipeline.checkpoint.weights import Loaded, load_classifier
from compresskit.pipeline.training.ranks import is_first
from compresskit.runs.atomic import atomic_folder
from compresskit.slicing import HEAD_IDS
from compresskit.supernet.classes import class_for, class_of, config_of
from compresskit.supernet.heads import restore_heads
from compresskit.supernet.last_token import pool_last
from compresskit.tasks.base import TaskKind
from compresskit.tasks.sentence import Sentence
from compresskit.tasks.task import Task


@dataclass(frozen=True)
class Checkpoint:
    """A user's model before its weights are read. `label2id` is set when its head is a trained one.

    `architectures`: the model's classes by config.json. `inputs`: of its graph. `head_task`: the hub's name
    of the task that its head is for. `reader`: its transformers tokenizer, or `ImageProcessor`; of images
    `stored_size` is the one that its weights are for. `sentence`: how it makes vectors, where it says so.
    `notes`: for users.
    """

    source: str
    config: Any
    architectures: tuple[str, ...]
    inputs: InputSpec
    reader: Any
    label2id: dict[str, int] | None
    head_task: str | None
    sentence: Sentence | None
    notes: tuple[str, ...]
    stored_size: Any = None

    @property
    def is_fine_tuned(self) -> bool:
        return self.label2id is not None

    def for_kind(self, kind: TaskKind) -> Checkpoint:
        """Without a head that is not for this task; of a task without heads it is fine-tuned as it is."""
        if not kind.has_head:
            return replace(self, label2id={}, head_task=kind.hub_task)
        problem = self.config.problem_type
        if self.head_task is None or kind.keeps_head(self.head_task, problem):
            return self
        named = ", ".join(filter(None, (*self.architectures, problem)))
        note = f"its head ({named}) is not for {kind.hub_task}, task {kind.name}: a new one is trained"
        return replace(self, label2id=None, head_task=None, notes=(*self.notes, note))


def quiet() -> None:
    """Keep transformers' own bars and reports off the terminal: the search prints its own."""
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()


def open_checkpoint(source: str | Path) -> Checkpoint:
    """Read configuration and tokenizer, or image processor.

    Raises UnsupportedModelError or ConfigurationError.
    """
    source = str(source)
    quiet()
    check_folder(source)
    config, raw, names, notes = read_configuration(source)
    stored_size = getattr(config, "image_size", None)
    if PIXELS in names:
        inputs, (reader, of_reader) = IMAGES, open_image_processor(source, config)
    else:
        reader, pad_id, of_reader = open_tokenizer(source, config, names)
        inputs = text_inputs(names, pad_id)
    label2id, head_task, of_head = read_head(source, raw, config)
    notes, classes = (*notes, *of_reader, *of_head), architectures_of(raw)
    return Checkpoint(
        source, config, classes, inputs, reader, label2id, head_task, sentence_of(source), notes, stored_size
    )


def load_dense(checkpoint: Checkpoint, task: Task, seed: int) -> Loaded:
    """The dense model with a head for the task, in float32; a new head is drawn from `seed`.

    Raises ConfigurationError for weights that are not the configuration's.
    """
    set_seed(seed)
    source, config = checkpoint.source, of_stored_size(checkpoint.config, checkpoint.stored_size)
    if not (checkpoint.is_fine_tuned and task.kind.has_head):
        task.kind.configure(config)
    model_class = class_for(task.kind.hub_task)
    loaded = load_classifier(source, config, model_class, keeps_head=checkpoint.is_fine_tuned)
    pool_last(loaded.model)
    fit_positions(loaded.model, getattr(checkpoint.config, "image_size", None))
    if task.kind.has_head and loaded.has_head and not checkpoint.architectures:
        name = type(loaded.model).__name__
        raise ConfigurationError(
            f"weights of model {source!r} hold a head, but its config.json does not say of what: add "
            f'"architectures": ["{name}"] to keep it, or the encoder\'s class to train a new one.'
        )
    if task.kind.has_head and not loaded.has_head:
        _set_bias(loaded.model, task.kind.first_bias(task.train.labels))
    return loaded


def _set_bias(model: nn.Module, bias: npt.NDArray[Any] | None) -> None:
    """Of the outputs, which the last module that has as many gives."""
    if bias is None:
        return
    heads = [
        each for each in model.modules() if isinstance(each, nn.Linear) and each.out_features == len(bias)
    ]
    if heads and heads[-1].bias is not None:
        with torch.no_grad():
            heads[-1].bias.copy_(torch.from_numpy(bias))


def save_model(model: nn.Module, folder: Path) -> None:
    """Save whole: a reader never sees half a model. Of several processes the first alone does.

    DiskFullError, with nothing left behind, where the disk is full.
    """
    if not is_first():
        return
    with atomic_folder(folder) as part:
        model.save_pretrained(part)  # type: ignore[operator]


def load_model(folder: Path) -> nn.Module:
    """A model that `save_model` wrote. Raises RunError where it is damaged."""
    quiet()
    try:
        config = config_of(folder)
        model = pool_last(class_of(config).from_pretrained(folder, dtype=torch.float32))
        restore_heads(model, getattr(config, HEAD_IDS, None))
    except Exception as error:  # safetensors' own, and whatever transformers makes of a damaged config.json
        if is_out_of_memory(error):
            raise
        raise RunError(
            f"{folder} holds no model that loads ({reason_of(error)}). Restore it, or remove the folder "
            "and continue with --resume: what made it is done again."
        ) from error
    return model
