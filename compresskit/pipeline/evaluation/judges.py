"""What judges beside the metric say of a front, and of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from compresskit.display import Display
from compresskit.pipeline.evaluation.evaluator import Evaluator
from compresskit.pipeline.training.models import load_model
from compresskit.pipeline.training.plan import JUDGES
from compresskit.runs.judged import Judged
from compresskit.runs.records import Front
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.tasks.intervals import intervals, row_groups
from compresskit.tasks.task import JudgeSet
from compresskit.training.recipe import training_device


def judged(front: Front, evaluator: Evaluator, display: Display) -> Front:
    """`front` with what each judge says of its points and of the dense model, on the same rows.

    run.json has the judges' fingerprints under `judges`.
    """
    task = evaluator.stage.task
    if not task.judges:
        return front
    models = [*front.points, *([front.dense] if front.dense else [])]
    found: list[dict[str, Judged]] = [{} for _ in models]
    rows = sum(len(each.split) for each in task.judges.values())
    with display.stage(JUDGES, rows * len(models), "rows") as counter:
        run = evaluator.meter.run
        dense = SuperNetwork(load_model(run.supernet / "dense_model").to(training_device()))
        for name, each in task.judges.items():
            answers = []
            for model in models:
                if model.idx is None:
                    said = predict(dense, task, each.split)
                else:
                    said = evaluator.predictions(model.candidate, each.split, model.weights)
                answers.append(each.answers(said))
                counter.advance(len(each.split))
            whole = answers[-1] if front.dense else None
            for own, known in zip(found, known_by(each, answers, whole), strict=True):
                own[name] = known
    run.update(judges={name: each.fingerprint for name, each in task.judges.items()})
    points = [replace(point, judges=own) for point, own in zip(models, found, strict=True)]
    return replace(front, points=tuple(points[: len(front.points)]), dense=front.dense and points[-1])


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
            None if said is dense else own.difference_ci,
        )
        for said, own in zip(answers, known, strict=True)
    ]
