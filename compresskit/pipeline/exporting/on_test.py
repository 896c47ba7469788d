"""Test figures of an export, compared with the dense model's on the same rows; a run keeps both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from compresskit.architecture import Candidate
from compresskit.display import Display, Say
from compresskit.engine.card import describe_test
from compresskit.errors import RunError
from compresskit.pipeline.evaluation.metric_intervals import known_on
from compresskit.pipeline.exporting.graph_builder import Made
from compresskit.pipeline.store.dense_predictions import Answered
from compresskit.pipeline.store.tensors import read_arrays
from compresskit.pipeline.training.models import load_model
from compresskit.runs.atomic import atomic_path
from compresskit.runs.directory import RunDirectory
from compresskit.runs.tested import TESTS, OnTest, write_tested
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.tasks.base import TaskKind
from compresskit.tasks.task import Task
from compresskit.training.recipe import training_device

ANSWERS_FILE = "dense_answers.safetensors"
RUNTIME, TORCH = "ONNX Runtime", "PyTorch"


def changes_of(
    candidate: Candidate,
    made: Made,
    embeddings: str,
    is_trimmed: bool,
    finetune_epochs: float,
    dims: int | None,
) -> str:
    """In what an engine differs from the candidate that it was made of, as `OnTest.changed`."""
    changes = {
        made.precision: made.precision != candidate.precision,
        f"{len(made.float_layers)} layers in float": bool(made.float_layers),
        f"{embeddings} embeddings": embeddings != "fp32",
        "trimmed vocabulary": is_trimmed,
        f"{finetune_epochs:g} epochs": finetune_epochs > 0,
        f"{dims} numbers": dims is not None,
    }
    return ", ".join(name for name, is_so in changes.items() if is_so)


def figures_on_test(
    run: RunDirectory,
    task: Task,
    trial_id: int | None,
    changed: str,
    kind: TaskKind,
    predictions: npt.NDArray[Any],
    *,
    display: Display,
) -> OnTest:
    """Of an engine by its `predictions` on the test set; `trial_id` is None for the dense model.

    `kind`: the task as the engine has it.

    The dense model is scored there once for a run, in PyTorch until it is exported itself. Figures of both
    and the dense model's answers are kept in RUN/tests.
    """
    own = Answered.of(replace(task, kind=kind), predictions, task.test)
    if trial_id is None and not changed:
        _keep_answers(run.path, own, display)
        dense = own
    else:
        dense = _dense(run, task, display)
    known = known_on(task.test, task, {"own": own.answers}, dense.answers)["own"]
    found = OnTest(trial_id, changed, own.metric, known.metric_ci, known.rows, RUNTIME)
    if dense is not own:
        found = replace(found, dense_metric=dense.metric, difference_ci=known.difference_ci)
    display(f"test {task.metric_name} in ONNX Runtime: {describe_test(found.metric, found.in_manifest())}")
    _keep(run, found, display)
    return found


def _keep(run: RunDirectory, found: OnTest, say: Say) -> None:
    """Keep `found` in the run, for `pareto` and the report; a failed write is only reported."""
    try:
        write_tested(run.path, found)
    except RunError as error:
        say(f"the run does not keep the test figures: {error}")


def _dense(run: RunDirectory, task: Task, display: Display) -> Answered:
    """What the dense model says of the test set: as the run knows it, else asked now."""
    kept = kept_answers(run.path)
    if kept is not None and len(kept) == len(task.test.labels):
        return Answered(kept, task.kind.score_answers(kept, task.test.labels))
    rows = len(task.test) + (len(task.validation) if task.kind.is_chosen else 0)
    with display.stage("dense model on the test set, once", rows, "rows") as counter:
        network = SuperNetwork(load_model(run.supernet / "dense_model").to(training_device()))
        predictions = predict(network, task, task.test, counter=counter)
        if task.kind.is_chosen:
            task = task.fitted(
                predict(network, task, task.validation, counter=counter), task.validation.labels
            )
    asked = Answered.of(task, predictions, task.test)
    _keep_answers(run.path, asked, display)
    own = known_on(task.test, task, {"own": asked.answers}, None)["own"]
    _keep(run, OnTest(None, "", asked.metric, own.metric_ci, own.rows, TORCH), display)
    return asked


def kept_answers(run: Path) -> npt.NDArray[Any] | None:
    """The dense model's answers on the test set, None if there are none yet. RunError for a damaged file."""
    file = run / TESTS / ANSWERS_FILE
    return read_arrays(file, ("answers",), "Remove it.")["answers"] if file.exists() else None


def _keep_answers(run: Path, dense: Answered, say: Say) -> None:
    file = run / TESTS / ANSWERS_FILE
    try:
        file.parent.mkdir(exist_ok=True)
        with atomic_path(file) as path:
            save_file({"answers": np.ascontiguousarray(dense.answers)}, path)
    except (OSError, RunError) as error:
        say(f"the run does not keep the dense model's answers on the test set: {error}")
