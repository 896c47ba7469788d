"""Rows of a split before labels are numbered and texts encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from compresskit.errors import DataError
from compresskit.tasks.columns import find_text_columns

Label = str | int | float


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


def read_rows(split: str, table: pa.Table, text_columns: Sequence[str], label_column: str) -> Rows:
    """Rows with all texts and a label. Raises DataError for an absent or mistyped column, or no row left."""
    for column in (*text_columns, label_column):
        if column not in table.column_names:
            raise DataError(
                f"the {split} split has no column {column!r}; it has: {', '.join(table.column_names)}."
            )
    if not table.num_rows:
        raise DataError(f"the {split} split is empty; it needs one row or more.")
    labels = [_plain(value) for value in table[label_column].to_pylist()]
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
        [tuple(str(text) for text in texts[i]) for i in kept],
        [label for i in kept if (label := labels[i]) is not None],
        [i + 1 for i in kept],
        len(texts) - len(kept),
    )


def is_labelled(table: pa.Table, label_column: str, train_labels: Sequence[Label]) -> bool:
    """False for a split without labels: none, or all -1 (the hub's mark) where training has no -1."""
    if label_column not in table.column_names:
        return False
    found = {_plain(value) for value in table[label_column].to_pylist()} - {None}
    return bool(found) and (found != {-1} or -1 in train_labels)


def _texts(split: str, table: pa.Table, column: str) -> list[str | None]:
    if table.schema.field(column).type == pa.null():
        raise DataError(f"text column {column!r} of the {split} split is empty in every row.")
    find_text_columns(table, "", [column])
    return [text if text and text.strip() else None for text in table[column].to_pylist()]


def _plain(value: Any) -> Label | None:
    """A label as text, whole number or number; whole floats become whole numbers, blanks None."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, (float, Decimal)):
        number = float(value)
        if number != number:
            return None
        return int(number) if number.is_integer() else number
    return value if isinstance(value, int) else None
