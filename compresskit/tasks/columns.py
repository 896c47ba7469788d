"""Which columns are text and which is the label: found by name, or named by the user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from compresskit.errors import DataError
from compresskit.tasks.conventions import LABELS, TEXTS, first_present, known_texts


def find_label_column(table: pa.Table, given: str | None = None) -> str:
    """Name of the label column. Raises DataError naming the columns present."""
    column = _named(table, given) if given else _first_present(table, LABELS)
    if column is None:
        raise DataError(
            f"no label column found among {_list(table.column_names)}; looked for {_list(LABELS)}. Name it "
            "with --label-column."
        )
    kind = _plain(table.schema.field(column).type)
    if not (_is_text(kind) or _is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise DataError(f"label column {column!r} holds {kind}; permitted: text or numbers.")
    return column


def find_text_columns(table: pa.Table, label: str, given: Sequence[str] | None = None) -> tuple[str, ...]:
    """Names of one or two text columns. Raises DataError naming the columns present, or a wrong type."""
    if given:
        if not 1 <= len(set(given)) == len(given) <= 2:
            raise DataError(f"text columns {_list(given)}; permitted: one column, or two different ones.")
        found = tuple(_named(table, name) for name in given)
    else:
        found = _known_texts(table, label)
    for column in found:
        kind = _plain(table.schema.field(column).type)
        if not _is_text(kind):
            raise DataError(
                f"text column {column!r} holds {kind}, not text; columns present: {_describe(table)}. Name "
                "another with --text-column."
            )
    return found


def _known_texts(table: pa.Table, label: str) -> tuple[str, ...]:
    known = tuple(_named(table, name) for name in known_texts(table.column_names, label))
    if known:
        return known
    others = [c for c in table.column_names if c != label and _is_text(_plain(table.schema.field(c).type))]
    if len(others) == 1:
        return (others[0],)
    raise DataError(
        f"no text column found; columns present: {_describe(table)}. Looked for {_list(TEXTS)} and "
        "pairs such as sentence1 and sentence2. Name it with --text-column."
    )


def _named(table: pa.Table, name: str) -> str:
    if table.column_names.count(name) != 1:
        found = "stands twice" if name in table.column_names else "is missing"
        raise DataError(f"column {name!r} {found}; columns present: {_describe(table)}.")
    return name


def _first_present(table: pa.Table, names: Iterable[str]) -> str | None:
    name = first_present(table.column_names, names)
    return None if name is None else _named(table, name)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _describe(table: pa.Table) -> str:
    return ", ".join(f"{f.name} ({_plain(f.type)})" for f in table.schema)
