"""Rows of a split before labels are numbered and texts encoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compresskit.data.columns import check_text
from compresskit.data.label_values import Label, label_text, typed_label, written_labels
from compresskit.data.table import Table
from compresskit.errors import DataError

_UNLABELLED = -1  # the mark of the hub's data sets


@dataclass(frozen=True)
class Rows:
    """Complete rows of one split; `numbers` are their places in the data set, counted from 1.

    `num_missing`: rows left out because a text or the label was missing or blank.
    """

    split: str
    texts: list[tuple[str, ...]]
    labels: list[Label]
    numbers: list[int]
    num_missing: int

    def __len__(self) -> int:
        return len(self.texts)


def read_rows(
    split: str,
    table: Table,
    text_columns: Sequence[str],
    label_column: str,
    class_names: Sequence[str] | None = None,
) -> Rows:
    """Rows with all texts and a label.

    `class_names`: what integer labels are to mean, where the split has class names of its own in another
    order. Raises DataError for an absent or mistyped column, or no row left.
    """
    for column in (*text_columns, label_column):
        if column not in table.columns:
            raise DataError(f"the {split} split has no column {column!r}; it has: {', '.join(table.names)}.")
    if not table.num_rows:
        raise DataError(f"the {split} split is empty; it needs one row or more.")
    labels = labels_of(table, label_column)
    if all(label is None for label in labels):
        raise DataError(f"no row of the {split} split has a label in column {label_column!r}.")
    texts = list(zip(*(_texts(split, table, column) for column in text_columns), strict=True))
    kept = [
        i for i, row in enumerate(texts) if labels[i] is not None and all(text is not None for text in row)
    ]
    if not kept:
        raise DataError(
            f"no row of the {split} split has both a label ({label_column}) and text "
            f"({', '.join(text_columns)})."
        )
    return Rows(
        split,
        [tuple(text for text in texts[i] if text is not None) for i in kept],
        _meant(
            [label for i in kept if (label := labels[i]) is not None],
            table.class_names.get(label_column, ()),
            class_names,
        ),
        [i + 1 for i in kept],
        len(texts) - len(kept),
    )


def is_labelled(table: Table, label_column: str, train_labels: Iterable[Label]) -> bool:
    """False for a split without labels: none, or all -1 (the hub's mark) where training has no -1."""
    if label_column not in table.columns:
        return False
    found = set(labels_of(table, label_column)) - {None}
    return bool(found) and (found != {_UNLABELLED} or _UNLABELLED in train_labels)


def missing_note(rows: Rows) -> str | None:
    """How many rows were left out; None when none was."""
    if not rows.num_missing:
        return None
    return (
        f"{rows.num_missing:,} of {rows.num_missing + len(rows):,} rows of the {rows.split} split lack a "
        "text or label and were dropped"
    )


def labels_of(table: Table, column: str) -> list[Label | None]:
    """Labels as they were written; of a column with class names -1 means that there is none."""
    values = table.columns[column]
    labels = [typed_label(value) for value in values] if table.is_typed else written_labels(values)
    if column in table.class_names:
        return [None if label == _UNLABELLED else label for label in labels]
    return labels


def _meant(labels: list[Label], own: Sequence[str], wanted: Sequence[str] | None) -> list[Label]:
    """Integer labels under the class names `wanted`, which a split may have in another order."""
    if wanted is None or not own or tuple(own) == tuple(wanted):
        return labels
    numbers: dict[str, Label] = {name: i for i, name in enumerate(wanted)}
    meant = {label: label_text(label, own) for label in set(labels)}
    return [numbers.get(meant[label], meant[label]) for label in labels]


def _texts(split: str, table: Table, column: str) -> list[str | None]:
    if table.kind(column) == "nothing":
        raise DataError(f"text column {column!r} of the {split} split is empty in every row.")
    check_text(table, column)
    return [text if text and not text.isspace() else None for text in table.columns[column]]
