"""Metrics of a model with their intervals, for the front and for test figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy.typing as npt

from compresskit.runs.records import Front, FrontPoint
from compresskit.tasks.intervals import Known, intervals, row_groups
from compresskit.tasks.task import Split, Task

Key = TypeVar("Key")


def known_on(
    split: Split, task: Task, answers: Mapping[Key, npt.NDArray[Any]], dense: npt.NDArray[Any] | None
) -> dict[Key, Known]:
    """Intervals of models by each one's answers to the rows of `split`.

    `dense`: the dense model's answers; without them no difference is known.
    """
    if not answers:
        return {}
    found = intervals(
        task.kind,
        split.labels,
        list(answers.values()),
        dense=dense,
        groups=row_groups(split.texts, task.kind.unit),
    )
    return dict(zip(answers, found, strict=True))


def with_intervals(
    front: Front, task: Task, answers: Mapping[int | None, npt.NDArray[Any]], dense: npt.NDArray[Any] | None
) -> Front:
    """`front` with rows and intervals of the validation metrics: `answers` by trial, None for dense."""
    shown = [point.trial_id for point in front.points]
    if dense is not None:
        answers, shown = {**answers, None: dense}, [*shown, None]
    known = known_on(task.validation, task, {trial_id: answers[trial_id] for trial_id in shown}, dense)

    def with_own(point: FrontPoint) -> FrontPoint:
        rows, own = len(task.validation.labels), known.get(point.trial_id)
        if own is None:
            return replace(point, rows=rows)
        difference = None if point.trial_id is None else own.difference_ci
        return replace(point, rows=rows, metric_ci=own.metric_ci, difference_ci=difference)

    points = tuple(with_own(point) for point in front.points)
    return replace(front, points=points, dense=front.dense and with_own(front.dense))
