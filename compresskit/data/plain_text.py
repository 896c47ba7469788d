"""Files of plain text, whose every line is a text."""

from __future__ import annotations

from pathlib import Path

from compresskit.data.conventions import data_files, files_by_role
from compresskit.data.lines import text_lines
from compresskit.data.sources import Source, load_source
from compresskit.data.table import Table
from compresskit.errors import DataError

SUFFIXES = (".txt", ".md")


def load_texts(dataset: str | Path) -> Source:
    """As `load_source`; a file or folder of plain text alone is one split of its lines.

    Where all files of a folder are named as splits are, each is of its own. DataError for a split without a
    text.
    """
    path = Path(dataset).expanduser()
    splits = _plain(path)
    if not splits:
        return load_source(dataset)
    tables = {}
    for role, files in splits.items():
        lines = (line.strip() for file in files for line in text_lines(file))
        texts = [line for line in lines if line]
        if not texts:
            raise DataError(f"{str(dataset)!r} has no line with a text in its {role} split.")
        tables[role] = Table.of({"text": texts})
    return Source(path.stem, tables)


def _plain(path: Path) -> dict[str, list[Path]]:
    """Files of each split; none where there is a table."""
    if path.is_file():
        return {"train": [path]} if path.suffix.lower() in SUFFIXES else {}
    if not path.is_dir() or data_files(path, (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")):
        return {}
    suffixes = (".txt",) if data_files(path, (".txt",)) else SUFFIXES
    files = data_files(path, suffixes)
    by_role = {
        role: [file for parts in names.values() for file in parts]
        for role, names in files_by_role(path, suffixes).items()
    }
    if "train" in by_role and sum(map(len, by_role.values())) == len(files):
        return by_role
    return {"train": files} if files else {}
