"""How many epochs a method may train, so that all spend the same number of full-step equivalents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.dense import ROWS
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.budget import full_step_budget
from compresskit.pipeline.training.models import load_model
from compresskit.pipeline.training.strategy import strategy_for
from compresskit.spaces import make_space
from compresskit.supernet.surgery import blueprint_of
from compresskit.tasks.task import Task
from compresskit.training.cost import FIXED, FORWARD, mean_step_cost

MEAN_CANDIDATE = 0.2  # of the dense network's multiply-accumulates, over a search


def within_budget(settings: SearchSettings, task: Task, full_steps: float) -> SearchSettings:
    """`settings` whose epochs cost `full_steps`, less what scoring the candidates of a search costs.

    At least a tenth of it is left for training.
    """
    spent = 0.0
    if settings.method == "nas":
        spent = FORWARD * MEAN_CANDIDATE * (settings.trials or 0) * len(task.search) / ROWS
    left = max(full_steps - spent, full_steps / 10)
    rows_seen = left / step_cost(settings) * ROWS
    return replace(settings, epochs=rows_seen / len(task.train))


def point_epochs(share: float, task: Task, full_steps: float) -> float:
    """Epochs of fine-tuning with a teacher that cost `full_steps`; `share`: of the dense network's size."""
    return full_steps / (FIXED + (1 - FIXED) * share + FORWARD) * ROWS / len(task.train)


def step_cost(settings: SearchSettings) -> float:
    """Mean cost of a training step on 32 rows, in steps of the full network.

    For a method other than `nas` it is that of `nas` with its defaults: this is how a search turns
    epochs into the full steps that such a method may spend.
    """
    blueprint = blueprint_of(load_model(Path(settings.model)))
    if settings.method != "nas":
        return full_step_budget(settings, blueprint, 1)
    space = make_space(
        settings.space,
        blueprint.dims,
        layer_policy=settings.layer_policy,
        unit_multiple=settings.unit_multiple,
    )
    return mean_step_cost(strategy_for(settings, space), blueprint, settings.seed)
