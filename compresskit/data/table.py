"""Rows of a file as columns of Python values; standard library only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

_KINDS: Mapping[type, str] = {
    str: "text",
    bool: "booleans",
    int: "whole numbers",
    float: "numbers",
    Decimal: "numbers",
    list: "lists",
    dict: "objects",
    bytes: "bytes",
}
# How CSV writes what is no prose; used only to tell which column is the text.
_WRITTEN = (
    ("whole numbers", re.compile(r"[+-]?\d+")),
    ("numbers", re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")),
    ("booleans", re.compile(r"(?i:true|false)")),
    ("dates", re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?")),
)


@dataclass(frozen=True)
class Table:
    """`columns` by name, each of `num_rows` values, None where one is missing.

    `names`: as they stand in the file, where one may stand twice. `is_typed`: False for CSV, whose values
    are all text as it was written. `class_names`: of integer labels, by column, where the file has them.
    """

    names: tuple[str, ...]
    columns: Mapping[str, Sequence[Any]]
    num_rows: int
    is_typed: bool = True
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Mapping[str, Sequence[Any]], **facts: Any) -> Table:
        """A table of columns of equal length."""
        return cls(tuple(columns), columns, len(next(iter(columns.values()), ())), **facts)

    def kind(self, name: str) -> str:
        """What the column holds, in words: `text`, `whole numbers`, `numbers`, `booleans`, `nothing`, ..."""
        values = self.columns[name]
        found = {type(value) for value in values} - {type(None)}
        if found == {str} and not self.is_typed:
            return _written_kind(values)
        if found == {int, float}:
            return "numbers"
        return " and ".join(sorted(_KINDS.get(kind, kind.__name__) for kind in found)) or "nothing"

    def described(self) -> str:
        """All columns with what each holds, for messages."""
        return ", ".join(f"{name} ({self.kind(name)})" for name in self.names)

    def is_text(self, name: str) -> bool:
        """Whether every value is text; in CSV it may look like numbers."""
        return all(value is None or isinstance(value, str) for value in self.columns[name])


def joined(tables: Sequence[Table]) -> Table:
    """The rows of all `tables` in order; a column that one of them lacks is missing in its rows.

    Raises ValueError when class names differ.
    """
    if len(tables) == 1:
        return tables[0]
    names = tuple(dict.fromkeys(name for table in tables for name in table.names))
    class_names: dict[str, tuple[str, ...]] = {}
    for table in tables:
        for column, found in table.class_names.items():
            if class_names.setdefault(column, found) != found:
                raise ValueError(f"column {column!r} has class names {class_names[column]} and {found}")
    columns = {
        name: [value for table in tables for value in table.columns.get(name, [None] * table.num_rows)]
        for name in names
    }
    rows = sum(table.num_rows for table in tables)
    return Table(names, columns, rows, all(table.is_typed for table in tables), class_names)


def _written_kind(values: Iterable[str | None]) -> str:
    written = [value for value in values if value and not value.isspace()]
    if not written:
        return "text"
    # The first value rules out most kinds at once, so that prose costs nothing.
    for kind, pattern in _WRITTEN:
        if all(pattern.fullmatch(value.strip()) for value in written):
            return kind
    return "text"
