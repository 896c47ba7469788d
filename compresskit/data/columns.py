"""Which columns are text and which is the label: found by name, or named by the user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compresskit.data.conventions import LABELS, TEXTS, first_present, known_texts
from compresskit.data.table import Table
from compresskit.errors import DataError

_LABEL_KINDS = {"text", "whole numbers", "numbers", "booleans", "dates", "nothing"}


def find_label_column(table: Table, given: str | None = None) -> str:
    """Name of the label column. Raises DataError naming the columns present."""
    column = _named(table, given) if given else _first_present(table, LABELS)
    if column is None:
        raise DataError(
            f"no label column found; columns present: {_list(table.names)}; looked for {_list(LABELS)}. Name "
            "it with --label-column."
        )
    kind = table.kind(column)
    if not set(kind.split(" and ")) <= _LABEL_KINDS:
        raise DataError(f"label column {column!r} holds {kind}; permitted: text or numbers.")
    return column


def find_text_columns(table: Table, label: str, given: Sequence[str] | None = None) -> tuple[str, ...]:
    """Names of one or two text columns. Raises DataError naming the columns present, or a wrong type."""
    if given:
        if not 1 <= len(set(given)) == len(given) <= 2:
            raise DataError(f"text columns {_list(given)}; permitted: one column, or two different ones.")
        found = tuple(_named(table, name) for name in given)
    else:
        found = _known_texts(table, label)
    for column in found:
        check_text(table, column)
    return found


def check_text(table: Table, column: str) -> None:
    """Raise DataError unless the column holds text."""
    if not table.is_text(column):
        raise DataError(
            f"text column {column!r} holds {table.kind(column)}, not text; columns present: "
            f"{table.described()}. Name another with --text-column."
        )


def _known_texts(table: Table, label: str) -> tuple[str, ...]:
    known = tuple(_named(table, name) for name in known_texts(table.names, label))
    if known:
        return known
    others = [column for column in table.names if column != label and table.kind(column) == "text"]
    if len(others) == 1:
        return (others[0],)
    raise DataError(
        f"no text column found; columns present: {table.described()}. Looked for {_list(TEXTS)} and "
        "pairs such as sentence1 and sentence2. Name it with --text-column."
    )


def _named(table: Table, name: str) -> str:
    if table.names.count(name) != 1:
        found = "stands twice" if name in table.names else "is missing"
        raise DataError(f"column {name!r} {found}; columns present: {table.described()}.")
    return name


def _first_present(table: Table, names: Iterable[str]) -> str | None:
    name = first_present(table.names, names)
    return None if name is None else _named(table, name)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
