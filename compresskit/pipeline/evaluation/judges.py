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
Kept = Mapping[int | None, Rotation | None]  # columns by width; None: all of them
Answers = Mapping[int | None, npt.NDArray[Any]]


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
    widths = sorted(widths, reverse=True)
    rotation = rotation_of(run, task) if widths else None
    kept = {width: None if rotation is None else rotation[:, :width] for width in (None, *widths)}
    said = _said_to_judges(run, front, evaluator, kept) if task.judges else {}
    known = {width: _asked(said, width, len(models)) for width in kept}
    if widths:
        own = JudgeSet(task.kind, task.validation, "")
        vectors = [*(answers[point.trial_id] for point in front.points), task.validation.labels]
        agreed = {task.metric_name: (own, [_short(own, each, kept) for each in vectors])}
        for width in widths:
            found = zip(_asked(agreed, width, len(models)), known[width], strict=True)
            known[width] = [agreement | judges for agreement, judges in found]
    run.update(judges={name: each.fingerprint for name, each in task.judges.items()})
    *points, whole = (
        replace(model, judges=known[None][i], dims={str(width): known[width][i] for width in widths})
        for i, model in enumerate(models)
    )
    return replace(front, points=tuple(points), dense=whole)


def _said_to_judges(
    run: RunDirectory, front: Front, evaluator: Evaluator, kept: Kept
) -> dict[str, tuple[JudgeSet, list[Answers]]]:
    """Answers to each judge by each point of the front and last by the dense model.

    Vectors are let go at once: a judge may have many texts, a front many points.
    """
    task = evaluator.stage.task
    rows = sum(len(each.split) for each in task.judges.values())
    said = {}
    with evaluator.stage.display.stage(JUDGES, rows * (len(front.points) + 1), "rows") as counter:
        dense = SuperNetwork(load_model(run.supernet / "dense_model").to(training_device()))
        for name, each in task.judges.items():
            found = []
            for point in front.points:
                vectors = evaluator.predictions(point.candidate, each.split, point.weights)
                found.append(_short(each, vectors, kept))
                counter.advance(len(each.split))
            found.append(_short(each, predict(dense, task, each.split), kept))
            counter.advance(len(each.split))
            said[name] = each, found
    return said


def _short(judge: JudgeSet, vectors: Vectors, kept: Kept) -> Answers:
    """Answers to `judge` by vectors along the columns that each width keeps."""
    return {
        width: judge.answers(vectors if columns is None else vectors @ columns)
        for width, columns in kept.items()
    }


def _asked(
    said: Mapping[str, tuple[JudgeSet, Sequence[Answers]]], width: int | None, models: int
) -> list[dict[str, Judged]]:
    """What each judge says of each model at one width, the dense one last; beside the full dense vectors."""
    found: list[dict[str, Judged]] = [{} for _ in range(models)]
    for name, (judge, answers) in said.items():
        known = known_by(judge, [each[width] for each in answers], answers[-1][None])
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
