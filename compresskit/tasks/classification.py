"""One class a text, or a pair of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from compresskit.data.label_values import Label
from compresskit.data.rows import Rows
from compresskit.errors import DataError
from compresskit.tasks import metrics
from compresskit.tasks.base import Array
from compresskit.tasks.label_match import match_labels
from compresskit.tasks.labels import absent_note
from compresskit.tasks.text import TextKind


@dataclass(frozen=True)
class Classification(TextKind):
    """Labels are class ids; logits are (rows, classes)."""

    name = "classification"
    metrics = metrics.CLASSIFICATION

    def mistaken(self, labels: Array, others: Array) -> Array:
        """For each of `labels` another class, as often as it occurs where there is one."""
        wrong = labels.copy()
        for row, label in enumerate(labels):
            different = others[others != label]
            following = (label + 1) % max(len(self.labels), 2)
            wrong[row] = different[row % len(different)] if len(different) else following
        return wrong

    def class_pairs(self, answers: Array, labels: Array) -> tuple[Array, Array]:
        return answers, labels

    def absent(self, name: str, labels: Array) -> str | None:
        return absent_note(name, labels, self.labels)

    def resolution(self, rows: int) -> str:
        """What one row is worth, and the half-width of a 95 % interval where it is widest."""
        row, width = 100 / rows, 100 * 1.96 * 0.5 / sqrt(rows)
        return f"one row is {row:.1f} points, and the 95 % interval of accuracy is up to +-{width:.0f} points"

    def _known(self, rows: Rows, class_names: Sequence[str], source: str) -> tuple[Array, tuple[str, ...]]:
        labels = list(dict.fromkeys(rows.labels))
        match = match_labels(labels, self.labels, class_names)
        ids = {} if match is None else {label: match.find(label) for label in labels}
        if match is None or None in ids.values():
            raise DataError(self._unknown(rows, labels, source))
        return np.array([ids[label] for label in rows.labels]), match.notes

    def _unknown(self, rows: Rows, labels: Sequence[Label], source: str) -> str:
        odd = next((label for label in labels if match_labels([label], self.labels) is None), None)
        if odd is not None:
            return (
                f"{source}, row {rows.numbers[rows.labels.index(odd)]}: label {odd!r} is not one of the "
                f"engine's; permitted: {', '.join(self.labels)}, or 0 to {len(self.labels) - 1} where these "
                "are no names."
            )
        return (
            f"{source}: some labels are names of the engine's classes and some are not: "
            f"{', '.join(map(str, labels[:8]))}; permitted: {', '.join(self.labels)}. Rename the labels."
        )


TASK = Classification
