"""Rows of a data set as a task reads and encodes them, and what is said of the data beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from compresskit.inputs import Row
from compresskit.tasks.judge import Judge
from compresskit.tasks.sentence import Sentence

Array = npt.NDArray[Any]

IGNORED = -100
"""A label that has no part in loss and score: of what is padded, and of positions that carry none."""


@dataclass(frozen=True)
class DataOptions:
    """What is said of a data set beside its rows. `label2id`: of the head of a fine-tuned checkpoint.

    `head_task`: the hub's name of the task that this head is for; None: of whatever is read. `head_problem`:
    its problem type in transformers. `sentence`: how the model makes vectors, where it says so. `dataset`:
    the name, by which GLUE's metrics are known.
    """

    text_columns: tuple[str, ...] = ()
    label_column: str | None = None
    metric: str | None = None
    label2id: Mapping[str, int] | None = None
    head_task: str | None = None
    head_problem: str | None = None
    sentence: Sentence | None = None
    dataset: str = ""


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows of one split as a task reads them, complete ones alone.

    `texts`: a row's texts, by which rows are grouped, kept apart and found to be copies. `labels`:
    (rows, ...) what a score compares answers with, `IGNORED` where a row has fewer than others. `inputs`:
    what is encoded: the texts, words, pictures. `notes`: for the user. `judge`: of a bench that has
    something else than the task's own metric.
    """

    texts: list[tuple[str, ...]]
    labels: Array
    inputs: Sequence[Any]
    notes: tuple[str, ...] = ()
    judge: Judge | None = None

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Encoded:
    """`rows`: unpadded, those of one input together. `num_cut`: how many texts were longer than permitted, of
    `num_texts`, by default one an input. `note`: what else the user should know of these rows.
    """

    rows: list[Row]
    num_cut: int
    note: str = ""
    num_texts: int | None = None
