"""What judges beside the metric say of a front, and of an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.pipeline.evaluation.evaluator import Evaluator
from compresskit.pipeline.store.rotation import Rotation, rotation_of
from compresskit.pipeline.training.models import load_model
from compresskit.pipeline.training.plan import JUDGES
from compresskit.runs.directory import RunDirectory
from compresskit.runs.judged import Judged
from compresskit.runs.records import Front
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.tasks.intervals import intervals, row_groups
from compresskit.tasks.task import JudgeSet
from compresskit.training.recipe import training_device

Vectors = npt.NDArray[Any]


def judged(
    run: RunDirectory, front: Front, evaluator: Evaluator, answers: Mapping[int | None, Vectors]
) -> Front:
    """`front` with what each judge says of its points and of the dense model, on the same rows.

    Of vectors that are shortened to each width of `--dims` too, with their agreement: `answers` on validation
    rows by trial. run.json has the judges' fingerprints under `judges`.
    """
    task = evaluator.stage.task
    widths = run.settings.get("dims") or ()
    if front.dense is None or not (task.judges or widths):
        return front
    models = [*front.points, front.dense]
    said = _vectors_for_judges(run, front, evaluator) if task.judges else {}
    judges = _asked(said, len(models))
    by_width: list[dict[str, Mapping[str, Judged]]] = [{} for _ in models]
    if widths:
        rotation = rotation_of(run, task)
        agreed = [*(answers[point.trial_id] for point in front.points), task.validation.labels]
        said = {task.metric_name: (JudgeSet(task.kind, task.validation, ""), agreed), **said}
        for width in sorted(widths, reverse=True):
            for own, found in zip(by_width, _asked(said, len(models), rotation[:, :width]), strict=True):
                own[str(width)] = found
    run.update(judges={name: each.fingerprint for name, each in task.judges.items()})
    *points, whole = (
        replace(model, judges=own, dims=narrow)
        for model, own, narrow in zip(models, judges, by_width, strict=True)
    )
    return replace(front, points=tuple(points), dense=whole)


def _vectors_for_judges(
    run: RunDirectory, front: Front, evaluator: Evaluator
) -> dict[str, tuple[JudgeSet, list[Vectors]]]:
    """Of each judge's texts, by each point of the front and last by the dense model."""
    task = evaluator.stage.task
    rows = sum(len(each.split) for each in task.judges.values())
    said = {}
    with evaluator.stage.display.stage(JUDGES, rows * (len(front.points) + 1), "rows") as counter:
        dense = SuperNetwork(load_model(run.supernet / "dense_model").to(training_device()))
        for name, each in task.judges.items():
            vectors = []
            for point in front.points:
                vectors.append(evaluator.predictions(point.candidate, each.split, point.weights))
                counter.advance(len(each.split))
            vectors.append(predict(dense, task, each.split))
            counter.advance(len(each.split))
            said[name] = each, vectors
    return said


def _asked(
    said: Mapping[str, tuple[JudgeSet, Sequence[Vectors]]], models: int, kept: Rotation | None = None
) -> list[dict[str, Judged]]:
    """What each judge says of each model, the dense one last, of vectors along the columns `kept` alone."""
    found: list[dict[str, Judged]] = [{} for _ in range(models)]
    for name, (judge, vectors) in said.items():
        short = vectors if kept is None else [each @ kept for each in vectors]
        known = known_by(judge, list(map(judge.answers, short)), judge.answers(vectors[-1]))
        for own, each in zip(found, known, strict=True):
            own[name] = each
    return found


def known_by(
    judge: JudgeSet, answers: Sequence[npt.NDArray[Any]], dense: npt.NDArray[Any] | None
) -> list[Judged]:
    """What `judge` says of models by their answers; `dense`: the dense model's, which may be one of them."""
    kind, labels = judge.judge, judge.split.labels
    groups = row_groups(judge.split.texts, kind.unit)
    known = intervals(kind, labels, answers, dense=dense, groups=groups)
    return [
        Judged(
            kind.metric_name,
            kind.score_answers(said, labels),
            own.rows,
            kind.prior(labels, labels),
            own.metric_ci,
            None if dense is None or np.array_equal(said, dense) else own.difference_ci,
        )
        for said, own in zip(answers, known, strict=True)
    ]
