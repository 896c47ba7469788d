"""What points answer to validation rows, kept in a run: in counts, and some of it in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from compresskit.runs.changes import CHANGES, EXAMPLES
from compresskit.runs.directory import RunDirectory
from compresskit.tasks.changes import changes_of
from compresskit.tasks.task import Task


def write_changes(
    run: RunDirectory, task: Task, answers: Mapping[int | None, npt.NDArray[Any]], dense: npt.NDArray[Any]
) -> None:
    """Compare `answers` of points, by trial, with those of the dense model; all are to validation rows."""
    rows = task.validation
    counts, examples = changes_of(task.kind, rows.raw, answers, dense, rows.labels)
    run.write_json(CHANGES, counts)
    run.write_json(EXAMPLES, examples)
