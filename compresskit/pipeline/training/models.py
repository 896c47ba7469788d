"""Checkpoints: what the user gave, the dense model, and the shared weights of a run."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, set_seed
from transformers.utils import logging as transformers_logging

from compresskit.errors import ConfigurationError, RunError
from compresskit.exhausted import is_out_of_memory
from compresskit.pipeline.checkpoint.configuration import read_configuration
from compresskit.pipeline.checkpoint.folder import check_folder
from compresskit.pipeline.checkpoint.head import architectures_of, read_head
from compresskit.pipeline.checkpoint.tokenizer import open_tokenizer
from compresskit.pipeline.checkpoint.weights import Loaded, load_classifier
from compresskit.pipeline.training.ranks import is_first
from compresskit.runs.atomic import atomic_folder
from compresskit.tasks.task import Task


@dataclass(frozen=True)
class Checkpoint:
    """A user's model before its weights are read. `label2id` is set when its head is a trained one.

    `architectures`: the model's classes by config.json. `inputs`: names, of its graph. `pad_id` pads
    batches. `notes`: for the user.
    """

    source: str
    config: Any
    architectures: tuple[str, ...]
    inputs: tuple[str, ...]
    tokenizer: Any
    pad_id: int
    label2id: dict[str, int] | None
    notes: tuple[str, ...]

    @property
    def is_fine_tuned(self) -> bool:
        return self.label2id is not None


def quiet() -> None:
    """Keep transformers' own bars and reports off the terminal: what matters is said by us."""
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()


def open_checkpoint(source: str) -> Checkpoint:
    """Read configuration and tokenizer. Raises UnsupportedModelError or ConfigurationError."""
    quiet()
    check_folder(source)
    config, raw, inputs, notes = read_configuration(source)
    tokenizer, pad_id, of_tokenizer = open_tokenizer(source, config, inputs)
    label2id, of_head = read_head(source, raw, config)
    notes = (*notes, *of_tokenizer, *of_head)
    classes = architectures_of(raw)
    return Checkpoint(source, config, classes, inputs, tokenizer, pad_id, label2id, notes)


def load_dense(checkpoint: Checkpoint, task: Task, seed: int) -> Loaded:
    """The dense model with a head for the task, in float32; a new head is drawn from `seed`.

    Raises ConfigurationError for weights that are not the configuration's.
    """
    set_seed(seed)
    source, config = checkpoint.source, copy.deepcopy(checkpoint.config)
    if not checkpoint.is_fine_tuned:
        config.num_labels = task.num_labels
        config.problem_type = "regression" if task.kind == "regression" else None
        if task.kind != "regression":
            config.id2label = dict(enumerate(task.label_names))
            config.label2id = {name: i for i, name in enumerate(task.label_names)}
    loaded = load_classifier(source, config, keeps_head=checkpoint.is_fine_tuned)
    if loaded.has_head and not checkpoint.architectures:
        name = type(loaded.model).__name__
        raise ConfigurationError(
            f"weights of model {source!r} hold a head, but its config.json does not say of what: add "
            f'"architectures": ["{name}"] to keep it, or the encoder\'s class to train a new one.'
        )
    return loaded


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
        model: nn.Module = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    except Exception as error:  # safetensors' own, and whatever transformers makes of a damaged config.json
        if is_out_of_memory(error):
            raise
        raise RunError(
            f"{folder} holds no model that loads ({_first_line(error)}). Restore it, or remove the folder "
            "and continue with --resume: what made it is done again."
        ) from error
    return model


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
