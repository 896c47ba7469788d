"""Hyperparameters of a training stage, and what transformers makes of them."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import TrainingArguments

from compresskit.training.losses import Distillation


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of one training stage.

    The learning rate warms up over 6 % of the steps; `schedule` says how it goes on, by a name that
    transformers knows, such as linear, cosine or constant_with_warmup.
    """

    epochs: float
    learning_rate: float
    batch_size: int = 32
    temperature: float = 2.0
    seed: int = 0
    weight_decay: float = 0.01
    schedule: str = "linear"
    distillation: Distillation = field(default_factory=Distillation)

    def steps(self, num_rows: int) -> int:
        """Optimizer steps on `num_rows` training rows, at least one."""
        return max(1, round(self.epochs * -(-num_rows // self.batch_size)))


def has_fast_bf16() -> bool:
    """Whether this machine computes in bfloat16 rather than emulating it (far slower than float32)."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())


def training_device() -> torch.device:
    """Where models are trained and scored: of several processes each has a GPU of its own."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")


def quick_forward(device: torch.device) -> torch.autocast:
    """Forwards in bfloat16 where that is fast; elsewhere it changes nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bf16())


def arguments_of(recipe: Recipe, folder: Path, num_rows: int) -> TrainingArguments:
    """Arguments of transformers' Trainer to train `num_rows` rows by `recipe`; checkpoints go to `folder`."""
    logging.getLogger("accelerate").setLevel(logging.ERROR)
    # Each of several processes sees its share of the rows, in batches of its own.
    steps = recipe.steps(-(-num_rows // int(os.environ.get("WORLD_SIZE", "1"))))
    bf16 = has_fast_bf16()
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        warmup_steps=max(1, round(0.06 * steps)),
        lr_scheduler_type=recipe.schedule,
        optim="adamw_torch_fused",
        bf16=bf16,
        use_cpu=bf16 and not torch.cuda.is_available(),  # without it, bf16 is refused on a CPU
        seed=recipe.seed,
        save_strategy="no",  # a callback decides by time
        save_total_limit=1,
        logging_strategy="no",
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
    )
