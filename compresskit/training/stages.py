"""The stages of training, in order: dense model, order of importance, super-network, chosen point."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import set_seed

from compresskit.architecture import Architecture
from compresskit.supernet.importance import reorder, taylor_importance
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.tasks.collation import collate
from compresskit.tasks.task import Split, Task
from compresskit.training.losses import label_loss
from compresskit.training.progress import Listener, ProgressCallback
from compresskit.training.strategies import Strategy, make_strategy
from compresskit.training.trainer import Recipe, SuperNetTrainer

IMPORTANCE_ROWS = 2048


@dataclass(frozen=True)
class Stage:
    """What every stage needs: the task, where checkpoints go, and who listens."""

    task: Task
    pad_id: int
    folder: Path
    listen: Listener
    resume: bool = False


def score(
    supernet: SuperNetwork, stage: Stage, split: Split, architecture: Architecture | None = None
) -> float:
    """The task's metric of a sub-network on a split."""
    logits = predict(supernet, split, pad_id=stage.pad_id, architecture=architecture)
    return stage.task.score(logits, split.labels)


def fine_tune(model: nn.Module, stage: Stage, recipe: Recipe) -> None:
    """Fine-tune the dense model in place."""
    supernet = SuperNetwork(model)
    strategy = make_strategy("standard", supernet.full, supernet.full, lambda *_: supernet.full)
    _train(supernet, stage, "dense", strategy, recipe, None)


def order_by_importance(model: nn.Module, stage: Stage, recipe: Recipe) -> None:
    """Sort heads and units in place by Taylor importance on training rows; the function stays."""
    supernet = SuperNetwork(model)
    batches = _batches(stage.task.train, stage.pad_id, recipe.batch_size, recipe.seed)

    def loss(network: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        inputs = {name: value for name, value in batch.items() if name != "labels"}
        return label_loss(network(**inputs).logits, batch["labels"])

    reorder(model, supernet.blueprint, taylor_importance(model, supernet.blueprint, batches, loss))


def train_supernet(
    supernet: SuperNetwork,
    stage: Stage,
    recipe: Recipe,
    make: Callable[[Architecture], Strategy],
    watch: Architecture,
    name: str = "supernet",
    teacher: nn.Module | None = None,
) -> None:
    """Train in place; `teacher`, or a frozen copy of the model as it is, teaches if the strategy asks.

    `watch` is the architecture whose metric is reported along the way. Dropout is off: a teacher's
    outputs regularise, and small networks have no capacity to spare.
    """
    strategy = make(supernet.full)
    if strategy.needs_teacher:
        teacher = (teacher or copy.deepcopy(supernet.model)).requires_grad_(False)
        set_dropout(supernet.model, 0.0)
        # The teacher's embeddings serve every sub-network; half of a small model's weights need no step.
        embeddings = supernet.model.get_input_embeddings()  # type: ignore[operator]
        embeddings.weight.requires_grad_(False)
    _train(supernet, stage, name, strategy, recipe, teacher, watch)


def _train(
    supernet: SuperNetwork,
    stage: Stage,
    name: str,
    strategy: Strategy,
    recipe: Recipe,
    teacher: nn.Module | None,
    watch: Architecture | None = None,
) -> None:
    set_seed(recipe.seed)
    folder = stage.folder / name
    trainer = SuperNetTrainer(
        supernet,
        strategy,
        recipe,
        stage.task.train,
        folder,
        pad_id=stage.pad_id,
        teacher=teacher,
    )
    trainer.add_callback(
        ProgressCallback(
            name,
            stage.folder / "progress.jsonl",
            stage.listen,
            lambda: score(supernet, stage, stage.task.search, watch),
            trainer.take_mean_loss,
        )
    )
    trainer.run(resume=stage.resume)
    if trainer.is_world_process_zero():
        shutil.rmtree(folder, ignore_errors=True)  # checkpoints, each thrice the size of the model


def set_dropout(model: nn.Module, probability: float) -> None:
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = probability


def _batches(split: Split, pad_id: int, batch_size: int, seed: int) -> list[dict[str, torch.Tensor]]:
    """A seeded sample of training rows, in batches of similar lengths."""
    generator = np.random.default_rng(seed)
    count = min(IMPORTANCE_ROWS, len(split.encoded))
    chosen = sorted(
        generator.choice(len(split.encoded), count, replace=False),
        key=lambda i: len(split.encoded[i]["input_ids"]),
    )
    batches = []
    for start in range(0, count, batch_size):
        rows: list[dict[str, Any]] = [
            {**split.encoded[i], "labels": split.labels[i].item()} for i in chosen[start : start + batch_size]
        ]
        batches.append(collate(rows, pad_id))
    return batches
