"""The stages of training, in order: dense model, order of importance, super-network, chosen point."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from transformers import TrainerCallback, set_seed

from compresskit.architecture import Architecture
from compresskit.display import SILENT, UNCOUNTED, Counter, Display, counted
from compresskit.errors import ConfigurationError, one_of
from compresskit.supernet.attention import quick_gradients
from compresskit.supernet.batching import Batch, labelled_batch
from compresskit.supernet.importance import (
    Importance,
    fisher_importance,
    magnitude_importance,
    reorder,
    taylor_importance,
)
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.output import said
from compresskit.supernet.scoring import predict
from compresskit.tasks.base import TaskKind
from compresskit.tasks.task import Split, Task
from compresskit.training.cost import mean_step_cost, scoring_cost
from compresskit.training.losses import label_loss
from compresskit.training.memory import TeacherMemory
from compresskit.training.progress import ORDER, ProgressCallback, training_of
from compresskit.training.recipe import Recipe, quick_forward
from compresskit.training.strategies import Consistent, Standard, Strategy
from compresskit.training.teacher import taught
from compresskit.training.trainer import Penalty, SuperNetTrainer

IMPORTANCE_ROWS = 2048
LEAST_CONSISTENT = 1500  # optimizer steps
IMPORTANCES = ("fisher", "taylor", "magnitude", "none")


@dataclass(frozen=True)
class Stage:
    """What every stage needs: the task, where checkpoints go, who watches, and what the teacher has said."""

    task: Task
    folder: Path
    display: Display = SILENT
    resume: bool = False
    memory: TeacherMemory = field(default_factory=TeacherMemory)

    def discard(self, name: str) -> None:
        """Remove the checkpoints of a training, each thrice the size of the model: once that is stored."""
        shutil.rmtree(self.folder / name, ignore_errors=True)


def score(
    supernet: SuperNetwork, stage: Stage, split: Split, architecture: Architecture | None = None
) -> float:
    """The task's metric of a sub-network on a split of validation, as a fraction."""
    said = predict(supernet, stage.task, split, architecture=architecture)
    return stage.task.fitted(said, split.labels).score(said, split.labels)


def quick_predict(
    supernet: SuperNetwork,
    stage: Stage,
    architecture: Architecture | None = None,
    counter: Counter = UNCOUNTED,
) -> npt.NDArray[Any]:
    """Predictions for the rows that a search scores, in bfloat16 where the machine is fast in it."""
    with quick_forward(next(supernet.parameters()).device):
        task = stage.task
        return predict(supernet, task, task.search, architecture=architecture, counter=counter)


def quick_score(supernet: SuperNetwork, stage: Stage, architecture: Architecture | None = None) -> float:
    """The metric on the rows that a search scores, of `quick_predict`."""
    said, labels = quick_predict(supernet, stage, architecture), stage.task.search.labels
    return stage.task.fitted(said, labels).score(said, labels)


def fine_tune(model: nn.Module, stage: Stage, recipe: Recipe, strategy: Strategy | None = None) -> None:
    """Fine-tune the dense model in place, by `strategy` or the one that suits its steps.

    Its checkpoints stay until they are discarded.
    """
    strategy = strategy or dense_strategy(model, stage.task, recipe.steps(len(stage.task.train)))
    _train(SuperNetwork(model), stage, "dense", strategy, recipe, None)


def dense_strategy(model: nn.Module, task: Task, steps: int) -> Strategy:
    """How a dense model is fine-tuned for `steps`: with R-Drop, from `LEAST_CONSISTENT` on.

    Its two passes cost two steps, and what they regularise has to be learnt first. On validation rows
    300 plain steps give MRPC 77.2 %, 150 with R-Drop 73.5; 750 give CoLA a Matthews correlation of 0.33,
    375 of the other 0.20; 1,350 give SST-2 88.1 %, 675 of the other 87.0, where a further 1,100 of it
    after 1,900 plain ones gave 1.2 points that no more plain ones did. Nor does it serve regression
    (STS-B: 78.7 % on test after 420 plain steps, 79.2 after 360 of the other), or a model without
    dropout, whose passes do not differ.
    """
    full = SuperNetwork(model).full
    drops = any(module.p > 0 for module in model.modules() if isinstance(module, nn.Dropout))
    kind = Consistent if drops and steps >= LEAST_CONSISTENT and not task.kind.is_regression else Standard
    return kind(full, full, lambda *_: full)


def check_importance(name: str) -> None:
    """Raise ConfigurationError unless `name` is one of IMPORTANCES."""
    if name not in IMPORTANCES:
        raise ConfigurationError(one_of("importance", name, IMPORTANCES))


def order_by_importance(
    model: nn.Module, stage: Stage, recipe: Recipe, by: str = "fisher"
) -> Importance | None:
    """Sort heads and units in place by an importance on training rows; the function stays.

    `by` is one of IMPORTANCES; ConfigurationError for another. Returns the scores in their new order, None
    for those of `none`.
    """
    check_importance(by)
    if by == "none":
        return None
    supernet = SuperNetwork(model)
    importance = _importance(supernet, stage, recipe, by)
    reorder(model, supernet.blueprint, importance)
    return importance.sorted()


def _importance(supernet: SuperNetwork, stage: Stage, recipe: Recipe, by: str) -> Importance:
    if by == "magnitude":
        return magnitude_importance(supernet.model, supernet.blueprint)
    device = next(supernet.parameters()).device
    batches = sample_batches(stage.task, recipe.batch_size, recipe.seed, device=device)
    estimate = taylor_importance if by == "taylor" else fisher_importance
    with (
        quick_gradients(supernet, stage.task.lengths(stage.task.train)),
        stage.display.stage(ORDER, len(batches), "batches") as counter,
    ):
        loss = batch_loss(stage.task.kind)
        return estimate(supernet.model, supernet.blueprint, counted(batches, counter), loss)


def train_supernet(
    supernet: SuperNetwork,
    stage: Stage,
    recipe: Recipe,
    make: Callable[[Architecture], Strategy],
    watch: Architecture,
    name: str = "supernet",
    teacher: nn.Module | None = None,
    penalty: Penalty | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> None:
    """Train in place; `teacher`, or a frozen copy of the model as it is, teaches if the strategy asks.

    `watch` is the architecture whose metric is reported along the way. Dropout is off: a teacher's
    outputs regularise, and small networks have no capacity to spare. Checkpoints stay until they are
    discarded.
    """
    strategy = make(supernet.full)
    teacher = taught(supernet, teacher) if strategy.needs_teacher else teacher
    _train(supernet, stage, name, strategy, recipe, teacher, watch, penalty, callbacks)


def _train(
    supernet: SuperNetwork,
    stage: Stage,
    name: str,
    strategy: Strategy,
    recipe: Recipe,
    teacher: nn.Module | None,
    watch: Architecture | None = None,
    penalty: Penalty | None = None,
    callbacks: Sequence[TrainerCallback] = (),
) -> None:
    set_seed(recipe.seed)
    trainer = SuperNetTrainer(
        supernet,
        strategy,
        recipe,
        stage.task,
        stage.folder / name,
        teacher=teacher,
        callbacks=list(callbacks),
        penalty=penalty,
        memory=stage.memory,
    )
    a_step = mean_step_cost(strategy, supernet.blueprint)
    scored = len(stage.task.search), watch or supernet.full, recipe.batch_size
    with stage.display.stage(training_of(name), trainer.args.max_steps, "steps") as counter:
        trainer.add_callback(
            ProgressCallback(
                name,
                stage.folder / "progress.jsonl",
                counter,
                lambda: quick_score(supernet, stage, watch),
                trainer.take_mean_loss,
                lambda: trainer.full_steps,
                evaluation_steps=scoring_cost(supernet.blueprint, *scored) / a_step,
            )
        )
        trainer.run(resume=stage.resume)


def sample_batches(
    task: Task,
    batch_size: int,
    seed: int,
    rows: int = IMPORTANCE_ROWS,
    device: torch.device | str = "cpu",
) -> list[Batch]:
    """A seeded sample of at most `rows` training rows with labels, in batches of similar lengths."""
    generator, split = np.random.default_rng(seed), task.train
    count, lengths = min(rows, len(split.encoded)), task.lengths(split)
    chosen = sorted(generator.choice(len(split.encoded), count, replace=False), key=lengths.__getitem__)
    batches = []
    for start in range(0, count, batch_size):
        numbers = chosen[start : start + batch_size]
        batch = labelled_batch(task.inputs, task.kind, *split.labelled(numbers))
        batches.append({name: value.to(device) for name, value in batch.items()})
    return batches


def batch_loss(kind: TaskKind) -> Callable[[nn.Module, Batch], torch.Tensor]:
    """The loss of a network on the labels of a batch that holds them, as those of `sample_batches` do.

    Where a teacher's answers are the labels no loss of it has a gradient. Then it is a sum with random signs
    of what is said of each row, whose squared gradients are the Fisher information of a Gaussian, on average.
    """

    def loss(network: nn.Module, batch: Batch) -> torch.Tensor:
        inputs = {name: value for name, value in batch.items() if name != "labels"}
        found = said(network(**inputs))
        if not kind.is_taught:
            return label_loss(*kind.compared(found, batch["labels"]))
        generator = torch.Generator().manual_seed(found.numel())
        signs = torch.randint(0, 2, found.shape, generator=generator).to(found.device) * 2 - 1
        return (found.float() * signs).flatten(1).sum(1).mean()

    return loss
