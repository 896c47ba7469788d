"""How fast this machine trains: some steps of fine-tuning and of a super-network, on copies."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from compresskit.supernet.network import SuperNetwork
from compresskit.tasks.task import Task
from compresskit.training.cost import lessons_at, step_cost
from compresskit.training.memory import TeacherMemory
from compresskit.training.recipe import Recipe
from compresskit.training.strategies import Standard, Strategy
from compresskit.training.teacher import taught
from compresskit.training.trainer import SuperNetTrainer

_BATCHES = 3  # each once, after one step that pays for what torch sets up


@dataclass(frozen=True)
class TrainingSpeed:
    """Seconds of an optimizer step of fine-tuning; how many times as long a full step of sub-networks takes.

    Full steps are counted by multiply-accumulates. Those of small networks take longer: much of a step is
    fixed, such as the calls of operators and the optimizer's pass over the weights.
    """

    seconds_a_step: float
    times: float = 1.0


def speed_of(model: nn.Module, task: Task, recipe: Recipe, shared: Strategy | None) -> TrainingSpeed:
    """Of fine-tuning `model`, and of training its sub-networks by `shared` where that is given.

    The model and all random generators stay as they are.
    """
    full = SuperNetwork(model).full
    with _same_draws():
        tuned = _seconds_a_full_step(model, task, recipe, Standard(full, full, lambda *_: full))
        if shared is None:
            return TrainingSpeed(tuned)
        return TrainingSpeed(tuned, max(1.0, _seconds_a_full_step(model, task, recipe, shared) / tuned))


def _seconds_a_full_step(model: nn.Module, task: Task, recipe: Recipe, strategy: Strategy) -> float:
    batch, network = recipe.batch_size, SuperNetwork(copy.deepcopy(model))
    lengths = task.lengths(task.train)
    # Of about the mean length: a training has batches of like lengths, and these stand for all of them.
    rows = np.argsort(np.abs(lengths - lengths.mean()), kind="stable")[: _BATCHES * batch]
    few = replace(task, train=task.train.subset(np.unique(task.train.origins[rows])))
    batches = -(-len(few.train) // batch)
    short, marks = replace(recipe, epochs=(batches + 1) / batches), _Marks()
    teacher = taught(network) if strategy.needs_teacher else None
    with TemporaryDirectory() as folder:
        SuperNetTrainer(
            network,
            strategy,
            short,
            few,
            Path(folder),
            teacher=teacher,
            callbacks=[marks],
            memory=TeacherMemory(0),
        ).run()
    steps = len(marks.seconds)  # fewer where several processes share the rows
    lessons = [lessons_at(strategy, short.seed, step, steps) for step in range(1, steps)]
    return sum(marks.seconds[1:]) / sum(step_cost(network.blueprint, each) for each in lessons)


@contextmanager
def _same_draws() -> Iterator[None]:
    """What is drawn afterwards is what would have been drawn."""
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


class _Marks(TrainerCallback):  # type: ignore[misc]
    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._began = 0.0

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._began = time.perf_counter()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.seconds.append(time.perf_counter() - self._began)
