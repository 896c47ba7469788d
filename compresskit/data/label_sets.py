"""Rows with any number of labels each: a column of lists of labels, or a column of 0 and 1 for each label."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compresskit.data.conventions import LABELS, first_present
from compresskit.data.label_values import Label, label_text, typed_label, written_labels
from compresskit.data.rows import Rows, read_rows
from compresskit.data.table import Table
from compresskit.errors import DataError, row_list, some

_UNLABELLED = ("-1", "-1.0")  # the mark of the hub's data sets
_BETWEEN = ("|", ";", ",")
_FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}


@dataclass(frozen=True, eq=False)
class LabelSetRows:
    """`sets`: the labels of each of `rows`, whose own labels mean nothing."""

    rows: Rows
    sets: list[list[Label]]

    @property
    def flat(self) -> Rows:
        """One label at a time, with the place of its row; without texts."""
        pairs = [
            (number, label)
            for number, held in zip(self.rows.numbers, self.sets, strict=True)
            for label in held
        ]
        labels = [label for _, label in pairs]
        return Rows(self.rows.split, [()] * len(pairs), labels, [number for number, _ in pairs], 0)

    def values(self) -> Iterator[tuple[str, ...]]:
        """All that each row holds."""
        for texts, held in zip(self.rows.texts, self.sets, strict=True):
            yield (*texts, *sorted(map(str, held)))


def find_label_columns(table: Table, given: str | None = None, known: Sequence[str] = ()) -> tuple[str, ...]:
    """The column that is named as labels are, else all columns of 0 and 1.

    `given`: as the user names them, with commas between. `known`: the labels of an engine, whose columns of 0
    and 1 are looked for first. Raises DataError, naming the columns present.
    """
    if given is not None:
        named = (given,) if given in table.names else tuple(map(str.strip, given.split(",")))
        if absent := [name for name in named if table.names.count(name) != 1]:
            raise DataError(f"label column {absent[0]!r} is missing; columns present: {table.described()}.")
        return named
    column = first_present(table.names, LABELS)
    if column is not None and (not known or holds_lists(table, column)):
        return (column,)
    flags = tuple(
        name for name in known or table.names if name in table.names and _are_flags(table, name, bool(known))
    )
    odd = tuple(name for name in table.names if name not in flags and _are_flags(table, name, True))
    if len(flags) > 1 and odd and not known:
        raise DataError(
            f"columns of 0 and 1 are taken for labels, but {some(odd)} hold -1 too, which may mean that a "
            "label is not known, or be a grade. Name the columns with --label-column, with commas between."
        )
    if len(flags) > 1:
        return flags
    if column is not None:
        return (column,)
    raise DataError(
        f"no column of lists of labels, and no columns of 0 and 1; columns present: {table.described()}. "
        "Name them with --label-column, several with commas between."
    )


def holds_lists(table: Table, column: str) -> bool:
    """Whether a column holds lists of labels."""
    lists = [value for value in table.columns[column] if value is not None]
    return bool(lists) and all(
        isinstance(value, list) and all(isinstance(each, str | int | float | None) for each in value)
        for value in lists
    )


def has_labels(table: Table, columns: Sequence[str]) -> bool:
    """False where no row has a label, or all are -1, the hub's mark of a split without labels."""
    found = {str(each) for name in columns for value in table.columns[name] for each in _items(value)}
    return bool(found - {"", "-1"})


def read_sets(
    split: str, table: Table, text_columns: Sequence[str], label_columns: Sequence[str]
) -> LabelSetRows:
    """Rows with all texts and labels; a list may be empty.

    Raises DataError for an absent or mistyped column, for no row left, and, with row numbers, for what is no
    label.
    """
    for column in label_columns:
        if column not in table.columns:
            raise DataError(f"the {split} split has no column {column!r}; it has: {', '.join(table.names)}.")
    found = _of_flags if len(label_columns) > 1 else _of_lists
    sets = found(split, table, label_columns)
    name = ",".join(label_columns)
    marks = [None if held is None else "1" for held in sets]
    rows = read_rows(split, replace(table, columns={**table.columns, name: marks}), text_columns, name)
    return LabelSetRows(rows, [held for i in rows.numbers if (held := sets[i - 1]) is not None])


def guess_note(rows: LabelSetRows, columns: Sequence[str]) -> str | None:
    """What a user should know of labels whose `columns` were not named."""
    if columns[1:]:
        return f"labels are the {len(columns)} columns of 0 and 1: {some(columns)}"
    labels = [held[0] for held in rows.sets if held]
    if not labels or any(len(held) > 1 for held in rows.sets):
        return None
    return (
        f"no row of the {rows.rows.split} split has more than one label, such as {labels[0]!r:.40}: task "
        "classification may fit it better"
    )


def check_joined(rows: LabelSetRows) -> None:
    """DataError where single labels are several in one text, with a mark between them."""
    found = [held[0] for held in rows.sets if len(held) == 1 and isinstance(held[0], str)]
    if len(found) < len(rows.sets):
        return
    for mark in _BETWEEN:
        joined = [label for label in found if mark in label]
        parts = {part.strip() for label in found for part in label.split(mark)}
        if len(joined) * 4 > len(found) and len(parts) < len(set(found)):
            raise DataError(
                f"the {rows.rows.split} split: labels such as {joined[0]!r:.60} seem to be several with "
                f"{mark!r} between. Give lists, in JSON lines or parquet, or a column of 0 and 1 for each "
                "label."
            )


def _of_lists(split: str, table: Table, columns: Sequence[str]) -> list[list[Label] | None]:
    """A single value is a list of one."""
    (column,) = columns
    values = table.columns[column]
    if not table.is_typed:
        values = written_labels(values)
    elif _are_flag_lists(values):
        values = [None if row is None else [i for i, flag in enumerate(row) if flag] for row in values]
    if written := _written_list(values):
        raise DataError(
            f"the {split} split, column {column}: lists are written as text, such as {written!r:.60}. CSV "
            "has no lists: give JSON lines or parquet, or a column of 0 and 1 for each label."
        )
    names, sets = table.class_names.get(column, ()), []
    wrong: list[int] = []
    for number, value in enumerate(values, start=1):
        items = [typed_label(each) for each in _items(value)]
        if None in items:
            wrong.append(number)
        known = [label_text(label, names) if names else label for label in items if label is not None]
        sets.append(list(dict.fromkeys(known)) if known or isinstance(value, list) else None)
    if wrong:
        raise DataError(
            f"the {split} split, column {column}, {row_list(wrong)}: a label is neither text nor a number. "
            "Correct these rows."
        )
    return sets


def _of_flags(split: str, table: Table, columns: Sequence[str]) -> list[list[Label] | None]:
    given = zip(*(table.columns[name] for name in columns), strict=True)
    flags = [
        [None] if all(str(value).strip() in _UNLABELLED for value in row) else [*map(_flag, row)]
        for row in given
    ]
    wrong = [number for number, row in enumerate(flags, start=1) if "" in row]
    if wrong:
        raise DataError(
            f"the {split} split, columns {', '.join(columns)}, {row_list(wrong)}: a value is neither 0 nor "
            "1. Correct these rows, or name other columns with --label-column."
        )
    return [
        None if None in row else [name for name, flag in zip(columns, row, strict=True) if flag]
        for row in flags
    ]


def _are_flag_lists(values: Sequence[Any]) -> bool:
    """Whether lists hold 0 or 1 for each label. Two of them may as well be the labels 0 and 1."""
    lists = [value for value in values if value is not None]
    return (
        bool(lists)
        and all(isinstance(value, list) and len(value) == len(lists[0]) > 2 for value in lists)
        and all(each in (0, 1) for value in lists for each in value)
    )


def _written_list(values: Sequence[Any]) -> str | None:
    """The first of values that are all lists as Python or JSON writes them."""
    found = [value for value in values if value is not None]
    are = bool(found) and all(
        isinstance(value, str) and re.fullmatch(r"\s*\[.*\]\s*", value) for value in found
    )
    return found[0] if are else None


def _flag(value: Any) -> bool | str | None:
    """None for a missing value, "" for what is neither 0 nor 1."""
    written = "" if value is None else str(value).strip().lower()
    return _FLAGS.get(written, "") if written else None


def _are_flags(table: Table, name: str, marked: bool) -> bool:
    """`marked`: rows without labels may have -1."""
    values = (value for value in table.columns[name] if not (marked and str(value).strip() in _UNLABELLED))
    found = {_flag(value) for value in values}
    return bool(found & {True, False}) and "" not in found


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
