"""One class a text, or a pair of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compresskit.data.rows import Rows
from compresskit.tasks import metrics
from compresskit.tasks.examples import Array
from compresskit.tasks.label_ids import absent_note, engine_ids
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
        return metrics.accuracy_of_rows(rows)

    def _known(self, rows: Rows, class_names: Sequence[str], source: str) -> tuple[Array, tuple[str, ...]]:
        return engine_ids(rows, self.labels, class_names, source)


TASK = Classification
