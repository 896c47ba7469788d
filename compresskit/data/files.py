"""Data files as tables, for a search and a bench alike: CSV, TSV, JSON, CoNLL columns and parquet.

Standard library only; parquet needs pyarrow. CSV stays text: what its labels mean is for `labels` to say.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from compresskit.data.conll import read_conll
from compresskit.data.conventions import files_by_role
from compresskit.data.lines import MAX_LINE, text_lines, whole_text
from compresskit.data.table import Table, joined
from compresskit.errors import DataError

_JSON_FORM = "JSON files hold one object a line, one array of objects, or one object."
_MARKS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_MEMORY_FACTOR = 3  # bytes of memory that a byte of a file takes at least once it is read


def read_table(files: Sequence[Path]) -> Table:
    """The rows of `files`, the parts of one split, in order. Raises DataError naming the file and line."""
    tables = [_read_file(file) for file in files]
    try:
        return joined(tables)
    except ValueError as error:
        raise DataError(f"the parts of {str(files[0])!r} do not have the same columns: {error}.") from None


def split_files(folder: Path) -> dict[str, list[Path]]:
    """Files of each role (train, validation, test) below `folder`. DataError when a role has two kinds."""
    found: dict[str, list[Path]] = {}
    for role, kinds in files_by_role(folder, READERS).items():
        if len(kinds) > 1:
            raise DataError(
                f"folder {str(folder)!r} has several files for its {role} split: "
                f"{', '.join(sorted(kinds))}; leave one of them."
            )
        found[role] = next(iter(kinds.values()))
    return found


def _read_file(file: Path) -> Table:
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise DataError(f"file {str(file)!r} has an unknown type; permitted: {', '.join(READERS)}.")
    size = file.stat().st_size
    if not size:
        raise DataError(f"file {str(file)!r} is empty; it needs one row or more.")
    _check_memory(file, size)
    try:
        return reader(file)
    except (ValueError, RuntimeError, OSError) as error:  # Arrow's errors are among them
        raise DataError(f"file {str(file)!r} cannot be read as {file.suffix[1:]}: {error}") from error


def _check_memory(file: Path, size: int) -> None:
    free = psutil.virtual_memory().available
    if size * _MEMORY_FACTOR > free:
        raise DataError(
            f"file {str(file)!r} holds {size / 1e9:.1f} GB, which take {size * _MEMORY_FACTOR / 1e9:.1f} GB "
            f"of memory or more; {free / 1e9:.1f} GB are free. Give fewer rows, or leave out columns."
        )


def _comma_or_other(file: Path) -> Table:
    """A header without commas has another delimiter: spreadsheets of many countries write semicolons."""
    csv.field_size_limit(MAX_LINE)
    header = next((line for line in text_lines(file) if not line.isspace()), "")
    widths = {mark: len(next(csv.reader([header], delimiter=mark), [])) for mark in ",;\t|"}
    return _csv(file, "," if widths[","] > 1 else max(widths, key=widths.__getitem__))


def _csv(file: Path, delimiter: str) -> Table:
    csv.field_size_limit(MAX_LINE)
    record: list[str] = []  # the lines of the row that is being read

    def lines() -> Iterator[str]:
        for line in text_lines(file):
            record.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=delimiter)
    names: list[str] = []
    columns: list[list[str]] = []
    last: list[str] = []
    try:
        for values in reader:
            if values and not names:
                names, columns = values, [[] for _ in values]
            elif values:
                if len(values) != len(names):
                    _check_quotes(record, delimiter)
                    raise ValueError(
                        f"the row that ends in line {reader.line_num:,} has {len(values)} values, the header "
                        f"{len(names)}; quote values, and names in the header, that hold a "
                        f"{_MARKS[delimiter]}."
                    )
                for column, value in zip(columns, values, strict=True):
                    column.append(value)
            last = record.copy()
            record.clear()
        _check_quotes(last, delimiter)
    except csv.Error as error:
        raise ValueError(
            f"line {reader.line_num:,}: {error}; look for a quotation mark that is not closed."
        ) from None
    named = dict(zip(names, columns, strict=True))
    return Table(tuple(names), named, len(columns[0]) if columns else 0, is_typed=False)


def _check_quotes(row: list[str], delimiter: str) -> None:
    """Raise csv.Error for a row of several lines with an open quotation mark, which swallows what follows."""
    if len(row) > 1:
        list(csv.reader(row, delimiter=delimiter, strict=True))


def _json(file: Path) -> Table:
    """One object a line, one array of objects, or one object, which is a row."""
    columns: dict[str, list[Any]] = {}
    count = 0
    for row in _objects(file):
        for name in row:
            if name not in columns:
                columns[name] = [None] * count
        for name, values in columns.items():
            values.append(row.get(name))
        count += 1
    return Table(tuple(columns), columns, count)


def _objects(file: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON file. A .json file may hold one value on any number of lines of any length."""
    whole = _whole(file) if file.suffix.lower() == ".json" else None
    if isinstance(whole, dict):
        yield whole
        return
    if whole is None:
        lines = text_lines(file)
        first = next((line for line in lines if not line.isspace()), "")
        if first.lstrip().startswith("["):
            whole = _parsed(first + "".join(lines), "the file")
    if isinstance(whole, list):
        for number, row in enumerate(whole, start=1):
            yield _object(row, f"item {number:,} of the array")
        return
    for number, line in enumerate(text_lines(file), start=1):
        if not line.isspace():
            yield _object(_parsed(line, f"line {number:,}"), f"line {number:,}")


def _whole(file: Path) -> Any:
    """The value of a file that holds one, on however many lines; None for others."""
    try:
        return json.loads(whole_text(file))
    except (ValueError, RecursionError):
        return None


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: {error}. {_JSON_FORM}") from None


def _object(row: Any, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f"{where} is not a JSON object. {_JSON_FORM}")
    return row


def _parquet(file: Path) -> Table:
    try:
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise DataError(
            f"{str(file)!r} is parquet, which needs pyarrow: pip install pyarrow, or give CSV or JSON lines."
        ) from None
    with parquet.ParquetFile(file) as opened:
        groups = range(opened.metadata.num_row_groups)
        _check_memory(file, sum(opened.metadata.row_group(group).total_byte_size for group in groups))
        return from_arrow(opened.read())


def from_arrow(table: Any) -> Table:
    """An Arrow table, with the class names that the `datasets` library leaves in its metadata."""
    columns = [column.to_pylist() for column in table.columns]
    named = dict(zip(table.column_names, columns, strict=True))
    return Table(tuple(table.column_names), named, table.num_rows, True, _class_names(table.schema.metadata))


def _class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, tuple[str, ...]]:
    """Names of ClassLabel columns, and of lists of them: `{"info": {"features": {COLUMN: ...}}}`."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        inner = {name: _inner_feature(value) for name, value in features.items()}
        found = {name: value for name, value in inner.items() if value.get("_type") == "ClassLabel"}
        return {name: tuple(map(str, value["names"])) for name, value in found.items()}
    except (ValueError, LookupError, TypeError, AttributeError):  # another program's, or none
        return {}


def _inner_feature(value: Any) -> Any:
    """The feature of a list's values; older versions of `datasets` write a list of one feature."""
    if isinstance(value, list):
        return value[0]
    return value.get("feature", value) if value.get("_type") in ("List", "LargeList", "Sequence") else value


READERS: dict[str, Callable[[Path], Table]] = {
    ".parquet": _parquet,
    ".csv": _comma_or_other,
    ".tsv": partial(_csv, delimiter="\t"),
    ".jsonl": _json,
    ".ndjson": _json,
    ".json": _json,
    **dict.fromkeys((".conll", ".bio", ".iob", ".iob2", ".txt"), read_conll),
}
