"""Checkpoints: what the user gave, the dense model, and the shared weights of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, set_seed
from transformers.utils import logging as transformers_logging

from compresskit.errors import ConfigurationError, RunError, UnsupportedModelError
from compresskit.exhausted import is_out_of_memory
from compresskit.families import family_for
from compresskit.pipeline.ranks import is_first
from compresskit.runs.atomic import atomic_folder
from compresskit.tasks.task import Task


@dataclass(frozen=True)
class Checkpoint:
    """A user's model before its weights are read. `label2id` is set when its head is a trained one."""

    source: str
    config: Any
    tokenizer: Any
    label2id: dict[str, int] | None

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
    if source.startswith(("/", ".", "~")) and not Path(source).exists():  # no hub id looks like this
        raise ConfigurationError(
            f"model {source!r} does not exist; give a folder with config.json, weights and tokenizer, or a "
            "hub id such as google-bert/bert-base-uncased."
        )
    try:
        config = AutoConfig.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"model {source!r} is neither a folder with a config.json nor a model of the hub that can be "
            f"reached: {str(error).splitlines()[0]}"
        ) from error
    family_for(config.model_type)
    if getattr(config, "is_decoder", False):
        raise UnsupportedModelError(f"model {source!r} is a decoder; give an encoder (is_decoder false).")
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"model {source!r} has no tokenizer that loads; put tokenizer.json beside its config.json."
        ) from error
    _check_vocabulary(source, tokenizer, config.vocab_size)
    trained = any(name.endswith("ForSequenceClassification") for name in config.architectures or ())
    labels = {str(name): int(i) for name, i in config.label2id.items()} if trained else None
    return Checkpoint(source, config, tokenizer, labels)


def _check_vocabulary(source: str, tokenizer: Any, rows: int) -> None:
    """transformers makes a tokenizer of special tokens alone where a folder has no vocabulary."""
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise ConfigurationError(
            f"model {source!r} has no vocabulary: its tokenizer knows special tokens alone; put the "
            "tokenizer.json of the model that it was made from beside its config.json."
        )
    if len(tokenizer) > rows:
        raise ConfigurationError(
            f"the tokenizer of model {source!r} has {len(tokenizer)} tokens, but the model has embeddings "
            f"for {rows}; put the tokenizer.json of the model that it was made from beside its config.json."
        )


def load_dense(checkpoint: Checkpoint, task: Task, seed: int) -> nn.Module:
    """The dense model with a head for the task, in float32; a new head is drawn from `seed`."""
    set_seed(seed)
    options: dict[str, Any] = {}
    if not checkpoint.is_fine_tuned:
        options["num_labels"] = task.num_labels
        if task.kind == "regression":
            options["problem_type"] = "regression"
        else:
            options["id2label"] = dict(enumerate(task.label_names))
            options["label2id"] = {name: i for i, name in enumerate(task.label_names)}
    model: nn.Module = AutoModelForSequenceClassification.from_pretrained(
        checkpoint.source, dtype=torch.float32, **options
    )
    return model


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
            "and go on with --resume: what made it is done again."
        ) from error
    return model


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
