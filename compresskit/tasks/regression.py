"""One number a text, or a pair of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from compresskit.data.columns import find_label_column
from compresskit.data.label_values import label_number
from compresskit.data.rows import Rows, labels_of
from compresskit.data.table import Table
from compresskit.errors import DataError
from compresskit.tasks import metrics
from compresskit.tasks.examples import Array, DataOptions
from compresskit.tasks.text import TextKind
from compresskit.tasks.wording import Wording


@dataclass(frozen=True)
class Regression(TextKind):
    """Labels are numbers; logits are (rows, 1)."""

    name = "regression"
    metrics = metrics.REGRESSION
    is_regression = True
    wording = Wording(
        right="Numbers that differ by less than a twentieth of the labels' range count as one.",
        worse="farther from the label",
        better="nearer to the label",
        other="changed, and as far from the label",
    )

    @property
    def num_labels(self) -> int:
        return 1

    @classmethod
    def fits(cls, table: Table, options: DataOptions) -> bool:
        """Labels are numbers of which one has a fraction, or the checkpoint has one output."""
        try:
            column = find_label_column(table, options.label_column)
        except DataError:
            return False  # said when the data are read
        known = set(labels_of(table, column)) - {None}
        if not known or any(label_number(label) is None for label in known if label is not None):
            return False
        head = cls.head(options)
        single = head is not None and len(head) == 1
        return single or any(isinstance(label, float) for label in known)

    def resolution(self, rows: int) -> str:
        width = 1.96 / sqrt(max(rows - 3, 1))  # 95 %, by Fisher's z at no correlation
        return f"the 95 % interval of a correlation is up to +-{min(width, 1.0):.2f}"

    def correctness(self, answers: Array, labels: Array) -> npt.NDArray[np.float64]:
        """Less by 1 for each twentieth of the range of `labels` between an answer and the label."""
        step = max(float(np.ptp(labels)) / 20, 1e-12)
        return np.asarray(1 - np.floor(np.abs(answers - labels) / step), dtype=np.float64)

    def _known(self, rows: Rows, class_names: Sequence[str], source: str) -> tuple[Array, tuple[str, ...]]:
        numbers = []
        for number, label in zip(rows.numbers, rows.labels, strict=True):
            value = label_number(label)
            if value is None:
                raise DataError(
                    f"{source}, row {number}: label {label!r} is not a number, and the engine gives numbers."
                )
            numbers.append(value)
        return np.array(numbers), ()


TASK = Regression
