"""Files of plain text, whose every line is a text."""

from __future__ import annotations

from pathlib import Path

from compresskit.data.conventions import data_files
from compresskit.data.lines import text_lines
from compresskit.data.sources import Source, load_source
from compresskit.data.table import Table
from compresskit.errors import DataError

SUFFIXES = (".txt", ".md")


def load_texts(dataset: str | Path) -> Source:
    """As `load_source`; a file or folder of plain text alone is one split of its lines.

    DataError where no line has a text.
    """
    path = Path(dataset).expanduser()
    files = _plain(path)
    if not files:
        return load_source(dataset)
    lines = [line.strip() for file in files for line in text_lines(file)]
    texts = [line for line in lines if line]
    if not texts:
        raise DataError(f"{str(dataset)!r} has no line with a text.")
    return Source(path.stem, {"train": Table.of({"text": texts})})


def _plain(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() in SUFFIXES else []
    if not path.is_dir() or data_files(path, (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")):
        return []
    return data_files(path, (".txt",)) or data_files(path, SUFFIXES)
