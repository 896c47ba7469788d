"""What each stage of a search has to do, for the estimate of its time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compresskit.architecture import Architecture
from compresskit.families import Blueprint
from compresskit.methods.names import NAS, UNTRAINED
from compresskit.pipeline.context import Context
from compresskit.pipeline.evaluation.variant_choice import choice_of, forms_on, missing_precisions
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.budget import full_step_budget
from compresskit.pipeline.training.strategy import DENSE, SUPERNET, parts_of, strategy_for
from compresskit.pipeline.training.sub_supernets import part_name
from compresskit.pipeline.training.time_estimate import Work
from compresskit.runs.directory import RunDirectory
from compresskit.supernet.sub_supernets import ranges
from compresskit.target.profile import Profile
from compresskit.tasks.task import Task
from compresskit.training.cost import FORWARD, mean_step_cost, scoring_cost
from compresskit.training.memory import MOST_BYTES
from compresskit.training.progress import EVALUATIONS, ORDER, training_of
from compresskit.training.recipe import Recipe, training_device
from compresskit.training.stages import IMPORTANCE_ROWS
from compresskit.training.strategies import Strategy

TRIALS, FRONT, SCORED = "trials", "scoring the front", "scoring dense"  # stages
# Of what scoring the full network costs: a trial and a point of the front, one with another.
MEAN_TRIAL, MEAN_POINT = 0.3, 0.2
FIRST_LOOK = 0.4  # of a look of full length: what a trial takes
LOOKS_A_POINT = 1.5  # beside the dense model, by what they contradict
# A look at a graph of so many multiply-accumulates a second, run so often, and what each takes beside that.
_MACS_A_SECOND, _RUNS, _SECONDS_BESIDE = 1e11, 110, 1.2
_ENOUGH = 3  # trials that say how long the others take


def seconds_a_look(profile: Profile, macs: int) -> float:
    """Before any was taken, at a graph of so many multiply-accumulates; a guess for one CPU thread."""
    return _SECONDS_BESIDE + min(profile.max_seconds, _RUNS * macs / _MACS_A_SECOND)


def plan_of(
    context: Context, recipes: Mapping[str, Recipe], fine_tuning: Strategy | None, blueprint: Blueprint
) -> dict[str, Work]:
    """What a search still has to do, in order; without `fine_tuning` its dense model is there."""
    run, settings, inputs = context.run, context.settings, context.inputs
    task, batch, rows = inputs.task, settings.batch_size, len(inputs.task.train)
    full = Architecture.full(blueprint.dims)
    search = scoring_cost(blueprint, len(task.search), full, batch)
    validation = scoring_cost(blueprint, len(task.validation), full, batch)
    plan: dict[str, Work] = {}
    if fine_tuning is not None:
        steps = recipes[DENSE].steps(rows) * mean_step_cost(fine_tuning, blueprint)
        plan[training_of(DENSE)] = Work(steps + EVALUATIONS * search, trains=True)
    if not (run.supernet / "dense_model").exists():
        plan[ORDER] = Work(min(IMPORTANCE_ROWS, rows) / batch)
        plan[SCORED] = Work(validation + search)
    budget = 0.0
    if settings.method == NAS and not (run.supernet / "model").exists():
        evaluations = EVALUATIONS * search * MEAN_TRIAL
        for name, steps in _shared(context, recipes[SUPERNET], blueprint).items():
            plan[training_of(name)] = Work(steps + evaluations, trains=True)
    elif settings.method not in (NAS, *UNTRAINED):
        budget = full_step_budget(settings, blueprint, recipes[SUPERNET].steps(rows))
    for precision in missing_precisions(run.info, settings.precisions_on(inputs.profile)):
        plan[choice_of(precision)] = Work(looks=sum(map(len, forms_on(inputs.profile))))
    plan[TRIALS] = _trials(run, settings, search * MEAN_TRIAL, budget)
    return plan | {FRONT: front_work(settings, task, blueprint, 2 + (settings.trials or 60) // 4)}


def front_work(settings: SearchSettings, task: Task, blueprint: Blueprint, points: int) -> Work:
    """To score and to measure so many points for the front."""
    full = Architecture.full(blueprint.dims)
    validation = scoring_cost(blueprint, len(task.validation), full, settings.batch_size)
    return Work(points * validation * MEAN_POINT, 1 + points * LOOKS_A_POINT * FIRST_LOOK)


def _trials(run: RunDirectory, settings: SearchSettings, scoring: float, budget: float) -> Work:
    """All of them, those of an interrupted search too."""
    done = run.trials()
    spent = sum(trial.seconds for trial in done)
    if settings.trials is None:
        return Work(seconds=settings.budget_seconds or 0.0)
    if len(done) >= _ENOUGH:
        return Work(seconds=spent / len(done) * settings.trials)
    return Work(settings.trials * scoring + budget, settings.trials * FIRST_LOOK)


def _shared(context: Context, recipe: Recipe, blueprint: Blueprint) -> dict[str, float]:
    """Full steps of each training of the super-network.

    A teacher is asked of each row once, where its answers find room.
    """
    train, settings, space = context.inputs.task.train, context.settings, context.space
    parts, strategy = parts_of(settings, len(train)), strategy_for(settings, space)
    batches = -(-len(train) // settings.batch_size)
    whole = recipe.steps(len(train)) * mean_step_cost(strategy, blueprint)
    dims = blueprint.dims
    kept = 4 * int(np.sum(train.lengths)) * dims.num_layers * dims.hidden_size <= MOST_BYTES
    kept = kept and strategy.needs_teacher and training_device().type == "cpu"
    found, seen = {}, 0.0
    for place, sizes in enumerate(ranges(parts)):
        own = strategy if parts == 1 else strategy_for(settings, space, sizes)
        steps = whole / parts / mean_step_cost(own, blueprint)
        asked = min(steps, max(0.0, batches - seen)) if kept else steps
        found[part_name(place) if parts > 1 else SUPERNET] = whole / parts - FORWARD * (steps - asked)
        seen += steps
    return found
