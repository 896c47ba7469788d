"""What training costs, in optimizer steps of the full network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from compresskit.architecture import Architecture
from compresskit.families import Blueprint
from compresskit.training.strategies import FROM_LABELS, FROM_TEACHER, FROM_TWIN, Lesson, Strategy

FORWARD = 1 / 3  # a forward pass alone: a backward pass is two
FIXED = 0.08  # of a full step: what a step of one layer, one head and 64 units still takes
LENGTH = 32  # tokens; the ratio of two networks' costs hardly depends on it
PROBES = 256


def step_cost(blueprint: Blueprint, lessons: Sequence[Lesson]) -> float:
    """Cost of one step of these lessons: each by its multiply-accumulates, a teacher's forward beside."""
    dense = blueprint.macs(Architecture.full(blueprint.dims), LENGTH)
    shares = [blueprint.macs(lesson.architecture, LENGTH) / dense for lesson in lessons]
    passes = [2 if lesson.source == FROM_TWIN else 1 for lesson in lessons]
    cost = sum(n * (FIXED + (1 - FIXED) * share) for n, share in zip(passes, shares, strict=True))
    return cost + (FORWARD if any(lesson.source == FROM_TEACHER for lesson in lessons) else 0.0)


def lessons_at(strategy: Strategy, seed: int, step: int, of: int) -> list[Lesson]:
    """The lessons of a step: they depend on nothing else, so that any rank and any resumed run agrees."""
    return strategy.lessons(step, step / max(1, of), np.random.default_rng((seed, step)))


def mean_step_cost(strategy: Strategy, blueprint: Blueprint, seed: int = 0) -> float:
    """Mean cost of a step over a whole training run, from lessons drawn evenly along it."""
    return float(np.mean([step_cost(blueprint, lessons) for lessons in _probes(strategy, seed)]))


@lru_cache(maxsize=8)  # the last strategies are asked for when a training is planned, and when it begins
def _probes(strategy: Strategy, seed: int) -> list[list[Lesson]]:
    return [lessons_at(strategy, seed, step, PROBES) for step in range(PROBES)]


def scoring_cost(blueprint: Blueprint, rows: int, architecture: Architecture, batch_size: int) -> float:
    """What it costs to score `architecture` on so many rows, where a step has `batch_size` of them."""
    return FORWARD * rows / batch_size * step_cost(blueprint, [Lesson(architecture, FROM_LABELS)])
