"""What each stage of a search has to do, for the estimate of its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from compresskit.architecture import Architecture
from compresskit.families import Blueprint
from compresskit.methods.names import NAS, UNTRAINED, default_trials
from compresskit.pipeline.context import Context
from compresskit.pipeline.evaluation.slicers import EXPORT, needs_weights
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

TRIALS, FRONT, SCORED, JUDGES = "trials", "scoring the front", "scoring dense", "asking judges"  # stages
_CANDIDATES = 256  # by which, at most, the cost of all is estimated
FIRST_LOOK = 0.4  # of a look of full length: what a trial takes
LOOKS_A_POINT = 1.5  # beside the dense model, by what they contradict
# A look at a graph of so many multiply-accumulates a second, run so often, in no less time than a comparison
# with the reference takes; and what each takes beside that, to rewrite, check and load all weights.
_MACS_A_SECOND, _RUNS, _ROUNDS_SECONDS = 1e11, 110, 0.6
_SECONDS_BESIDE, _SECONDS_A_WEIGHT = 0.5, 5e-8
_EXPORT_SECONDS, _EXPORT_SECONDS_A_LAYER = 1.0, 1.5  # of tracing a model
_ENOUGH = 3  # trials that say how long the others take


def seconds_a_look(profile: Profile, macs: int, num_params: int) -> float:
    """Before any was taken, at a graph of these sizes; a guess for one CPU thread."""
    sampling = min(profile.max_seconds, max(_ROUNDS_SECONDS, _RUNS * macs / _MACS_A_SECOND))
    return _SECONDS_BESIDE + _SECONDS_A_WEIGHT * num_params + sampling


def plan_of(
    context: Context,
    recipes: Mapping[str, Recipe],
    fine_tuning: Strategy | None,
    blueprint: Blueprint,
    times: float = 1.0,
) -> dict[str, Work]:
    """What a search still has to do, in order; without `fine_tuning` its dense model is there.

    A full step that is spent on sub-networks takes `times` as long as one of fine-tuning.
    """
    run, settings, inputs = context.run, context.settings, context.inputs
    task, batch, rows = inputs.task, settings.batch_size, len(inputs.task.train)
    full = [Architecture.full(blueprint.dims)]
    search, validation = (
        _scoring(blueprint, len(split), full, batch) for split in (task.search, task.validation)
    )
    candidates = _candidates(context)
    a_trial = _scoring(blueprint, len(task.search), candidates, batch)
    plan: dict[str, Work] = {}
    if fine_tuning is not None:
        steps = recipes[DENSE].steps(rows) * mean_step_cost(fine_tuning, blueprint)
        plan[training_of(DENSE)] = Work(steps + EVALUATIONS * search, trains=True)
    if not (run.supernet / "dense_model").exists():
        plan[ORDER] = Work(exact_steps=min(IMPORTANCE_ROWS, rows) / batch)
        plan[SCORED] = Work(search, exact_steps=validation)
    budget = 0.0
    if trains_shared(context):
        evaluations = EVALUATIONS * _scoring(blueprint, len(task.search), [context.space.middle], batch)
        for name, steps in _shared(context, recipes[SUPERNET], blueprint).items():
            plan[training_of(name)] = Work(times * (steps + evaluations), trains=True)
    elif settings.method not in (NAS, *UNTRAINED):
        budget = full_step_budget(settings, blueprint, recipes[SUPERNET].steps(rows))
    precisions = settings.precisions_on(inputs.profile)
    graphs = parts_of(settings, rows) if settings.method == NAS and needs_weights(precisions) else 1
    a_graph = _EXPORT_SECONDS + _EXPORT_SECONDS_A_LAYER * blueprint.dims.num_layers
    plan[EXPORT] = Work(seconds=graphs * a_graph)
    for precision in missing_precisions(run.info, precisions):
        forms, sessions = map(len, forms_on(inputs.profile))
        plan[choice_of(precision)] = Work(looks=forms + sessions + bool(sessions))  # the chosen form again
    plan[TRIALS] = _trials(run, settings, a_trial, budget)
    points = candidates[: 2 + _trials_asked(settings) // 4]
    return plan | front_work(settings, task, blueprint, points)


def trains_shared(context: Context) -> bool:
    """Whether a super-network is still to be trained."""
    return context.settings.method == NAS and not (context.run.supernet / "model").exists()


def front_work(
    settings: SearchSettings, task: Task, blueprint: Blueprint, points: Sequence[Architecture]
) -> dict[str, Work]:
    """To score and to measure these points for the front, and to ask judges, by stage."""

    def scoring(rows: int, points: Sequence[Architecture]) -> float:
        return len(points) * _scoring(blueprint, rows, points, settings.batch_size)

    looks = 1 + len(points) * LOOKS_A_POINT * FIRST_LOOK
    work = {FRONT: Work(exact_steps=scoring(len(task.validation), points), looks=looks)}
    if task.judges:
        rows = sum(len(each.split) for each in task.judges.values())
        work[JUDGES] = Work(exact_steps=scoring(rows, [*points, Architecture.full(blueprint.dims)]))
    return work


def _candidates(context: Context) -> list[Architecture]:
    """Such as a search tries: the first ones of each, then sizes that are drawn as ratios."""
    space, generator = context.space, np.random.default_rng(0)
    found = list(space.initial_architectures)
    count = min(_CANDIDATES, _trials_asked(context.settings))
    found += [space.decode(space.sample_ratio(generator)) for _ in range(count - len(found))]
    return found[:count]


def _trials_asked(settings: SearchSettings) -> int:
    return settings.trials or default_trials(settings.method)


def _scoring(
    blueprint: Blueprint, rows: int, architectures: Sequence[Architecture], batch_size: int
) -> float:
    """Full steps that it takes to score one of these on so many rows, one with another."""
    costs = [scoring_cost(blueprint, rows, each, batch_size) for each in architectures]
    return float(np.mean(costs)) if costs else 0.0


def _trials(run: RunDirectory, settings: SearchSettings, scoring: float, budget: float) -> Work:
    """All of them, those of an interrupted search too."""
    done = run.trials()
    spent = sum(trial.seconds for trial in done)
    if settings.trials is None:
        return Work(seconds=settings.budget_seconds or 0.0)
    if len(done) >= _ENOUGH:
        return Work(seconds=spent / len(done) * settings.trials)
    return Work(settings.trials * scoring + budget, looks=settings.trials * FIRST_LOOK)


def _shared(context: Context, recipe: Recipe, blueprint: Blueprint) -> dict[str, float]:
    """Full steps of each training of the super-network.

    A teacher is asked of each row once, where its answers find room.
    """
    task, settings, space = context.inputs.task, context.settings, context.space
    train = task.train
    parts, strategy = parts_of(settings, len(train)), strategy_for(settings, space)
    batches = -(-len(train) // settings.batch_size)
    whole = recipe.steps(len(train)) * mean_step_cost(strategy, blueprint)
    dims = blueprint.dims
    tokens = sum(len(task.inputs.flat(row)) for row in train.encoded)
    kept = 4 * tokens * dims.num_layers * dims.hidden_size <= MOST_BYTES
    kept = kept and strategy.needs_teacher and training_device().type == "cpu"
    found, seen = {}, 0.0
    for place, sizes in enumerate(ranges(parts)):
        own = strategy if parts == 1 else strategy_for(settings, space, sizes)
        steps = whole / parts / mean_step_cost(own, blueprint)
        asked = min(steps, max(0.0, batches - seen)) if kept else steps
        found[part_name(place) if parts > 1 else SUPERNET] = whole / parts - FORWARD * (steps - asked)
        seen += steps
    return found
