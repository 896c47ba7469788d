"""Labelled texts for scoring an engine on its device: standard library only, parquet where pyarrow is."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compresskit.errors import DataError
from compresskit.tasks.conventions import LABELS, ROLES, files_by_role, first_present, known_texts

_SPLITS = ("test", "validation")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class LabelledTexts:
    """Rows of one split: one or two texts each, and labels as they stand in the file."""

    source: Path
    texts: tuple[tuple[str, ...], ...]
    labels: tuple[Any, ...]


def read_labelled(
    dataset: Path | str, *, text_columns: Sequence[str] = (), label_column: str | None = None
) -> LabelledTexts:
    """The labelled test split of a folder (else its validation split), or all rows of one file.

    CSV, TSV and JSON lines need nothing but Python, parquet needs pyarrow. Raises DataError when there
    is no such split, a column is missing, or a row has no text.
    """
    path = Path(dataset)
    if not path.exists():
        raise DataError(f"data set {str(dataset)!r} does not exist; give a local folder or file to bench.")
    if path.is_file():
        return _labelled(path, _read(path), text_columns, label_column)
    for file, rows in _splits(path):
        found = _labelled(file, rows, text_columns, label_column)
        if any(label not in (-1, "-1", None, "") for label in found.labels):
            return found
    raise DataError(
        f"folder {str(path)!r} has no labelled test or validation file; permitted names: "
        f"{', '.join(f'{name}.*' for split in _SPLITS for name in ROLES[split])} with {', '.join(_READERS)}."
    )


def _splits(folder: Path) -> Iterator[tuple[Path, list[Row]]]:
    """Test and then validation rows, each with (the first of) its files."""
    by_role = files_by_role(folder, _READERS)
    for split in _SPLITS:
        kinds = by_role.get(split, {})
        if len(kinds) > 1:
            raise DataError(
                f"folder {str(folder)!r} has several {split} files ({', '.join(sorted(kinds))}); name one of "
                "them."
            )
        for files in kinds.values():
            yield files[0], [row for file in files for row in _read(file)]


def _read(file: Path) -> list[Row]:
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise DataError(f"file {str(file)!r} is of no known kind; permitted: {', '.join(_READERS)}.")
    try:
        rows = list(reader(file))
    except (ValueError, csv.Error) as error:
        raise DataError(f"file {str(file)!r} cannot be read: {error}.") from None
    if not rows:
        raise DataError(f"file {str(file)!r} has no rows.")
    return rows


def _csv(file: Path, delimiter: str = ",") -> Iterable[Row]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines, delimiter=delimiter)


def _tsv(file: Path) -> Iterable[Row]:
    return _csv(file, "\t")


def _json_lines(file: Path) -> Iterable[Row]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError(f"line {number} is not a JSON object")
                yield row


def _parquet(file: Path) -> Iterable[Row]:
    try:
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise DataError(
            f"{str(file)!r} is parquet, which needs pyarrow: pip install pyarrow, or give CSV or JSON lines."
        ) from None
    rows: list[Row] = parquet.read_table(file).to_pylist()
    return rows


_READERS: dict[str, Callable[[Path], Iterable[Row]]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_lines,
    ".parquet": _parquet,
}


def _labelled(
    file: Path, rows: Sequence[Row], text_columns: Sequence[str], label_column: str | None
) -> LabelledTexts:
    columns = list(rows[0])
    label = _find_label(file, columns, label_column)
    texts = _find_texts(file, rows[0], label, text_columns)
    for number, row in enumerate(rows, start=1):
        for column in texts:
            if not isinstance(row.get(column), str):
                raise DataError(f"{file}, row {number}: column {column!r} holds no text.")
    return LabelledTexts(
        file,
        tuple(tuple(row[column] for column in texts) for row in rows),
        tuple(row.get(label) for row in rows),
    )


def _find_label(file: Path, columns: Sequence[str], given: str | None) -> str:
    found = first_present(columns, LABELS) if given is None else given
    if found is not None and found in columns:
        return found
    raise DataError(
        f"{file} has no label column {given or LABELS[0]!r}; columns present: {', '.join(columns)}. "
        "Name it with --label-column."
    )


def _find_texts(file: Path, row: Row, label: str, given: Sequence[str]) -> tuple[str, ...]:
    if given:
        missing = [name for name in given if name not in row]
        if missing or not 1 <= len(given) <= 2:
            raise DataError(
                f"{file}: text columns {', '.join(given)}; permitted: one or two of {', '.join(row)}."
            )
        return tuple(given)
    known = known_texts(list(row), label)
    others = tuple(name for name, value in row.items() if name != label and isinstance(value, str))
    if known or len(others) == 1:
        return known or others
    raise DataError(f"{file} has no text column that is known; name it with --text-column: {', '.join(row)}.")
