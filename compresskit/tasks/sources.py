"""Where rows come from: a file, a folder of files, or a data set of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from compresskit.errors import DataError
from compresskit.tasks.conventions import data_files, files_by_role, role_of

_READERS: dict[str, Callable[[Path], pa.Table]]


@dataclass(frozen=True)
class Source:
    """Splits as they came, by role (train, validation, test), as Arrow tables.

    `class_names`: names of integer labels, by column, where the data set has them.
    """

    name: str
    splits: Mapping[str, pa.Table]
    class_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def load_source(dataset: str | Path) -> Source:
    """Read `dataset`: a path that exists, else a hub id with an optional configuration (`id:config`).

    One file alone, or splits without a training split of their own name, come back as `train`.
    Raises DataError when nothing is found, a file cannot be read, or a folder holds no split.
    """
    path = Path(dataset).expanduser()
    if path.is_dir():
        return _from_folder(path)
    if path.is_file():
        return Source(path.stem, {"train": _read([path])})
    if _looks_like_path(str(dataset)):
        raise DataError(
            f"data set {str(dataset)!r} does not exist; give a folder with train.* and test.* or "
            f"validation.*, a file ({', '.join(_READERS)}), or a hub id such as nyu-mll/glue:sst2."
        )
    return _from_hub(str(dataset))


def _looks_like_path(dataset: str) -> bool:
    return (
        dataset.startswith(("/", ".", "~"))
        or dataset.count("/") > 1
        or "\\" in dataset
        or Path(dataset).suffix in _READERS
    )


def _from_folder(folder: Path) -> Source:
    files, by_role = data_files(folder, _READERS), files_by_role(folder, _READERS)
    if "train" not in by_role and len(files) == 1:
        return Source(folder.name, {"train": _read(files)})
    if "train" not in by_role:
        found = ", ".join(p.name for p in files[:10]) or "no data file"
        raise DataError(
            f"folder {str(folder)!r} has no training split; found: {found}. Name the files train.*, "
            f"validation.* and test.*, each {', '.join(_READERS)}."
        )
    for role, kinds in by_role.items():
        if len(kinds) > 1:
            raise DataError(
                f"folder {str(folder)!r} has several files for its {role} split: "
                f"{', '.join(sorted(kinds))}; leave one of them."
            )
    return Source(
        folder.resolve().name, {role: _read(next(iter(kinds.values()))) for role, kinds in by_role.items()}
    )


def _read(files: Sequence[Path]) -> pa.Table:
    tables = [_read_file(file) for file in files]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(f"the parts of {str(files[0])!r} do not have the same columns: {error}") from error


def _read_file(file: Path) -> pa.Table:
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise DataError(f"file {str(file)!r} is of no known kind; permitted: {', '.join(_READERS)}.")
    if not file.stat().st_size:
        raise DataError(f"file {str(file)!r} is empty; it needs one row or more.")
    try:
        return reader(file)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        hint = " JSON files hold one object a line." if "json" in file.suffix or "nd" in file.suffix else ""
        raise DataError(f"file {str(file)!r} cannot be read as {file.suffix[1:]}: {error}.{hint}") from error


def _parquet(file: Path) -> pa.Table:
    from pyarrow import parquet

    with parquet.ParquetFile(file) as opened:
        return opened.read()


def _csv(file: Path, delimiter: str = ",") -> pa.Table:
    from pyarrow import csv

    # One block, so that a column's type comes from all of its rows and not from the first megabyte.
    return csv.read_csv(
        file,
        read_options=csv.ReadOptions(block_size=max(file.stat().st_size + 1, 1024), use_threads=False),
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
    )


def _tsv(file: Path) -> pa.Table:
    return _csv(file, "\t")


def _json_lines(file: Path) -> pa.Table:
    from pyarrow import json

    block = max(file.stat().st_size + 1, 1024)
    return json.read_json(file, read_options=json.ReadOptions(block_size=block, use_threads=False))


_READERS = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_lines,
}


def _from_hub(dataset: str) -> Source:
    import datasets

    name, _, config = dataset.partition(":")
    try:
        loaded: Any = datasets.load_dataset(name, config or None)
    except Exception as error:  # the hub's client raises many kinds: network, name, configuration, access
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(
            f"data set {dataset!r} is no local path and cannot be loaded from the hub: {reason}. Give id or "
            "id:config of a data set, or the path of a folder or file."
        ) from error
    splits: dict[str, pa.Table] = {}
    class_names: dict[str, tuple[str, ...]] = {}
    for split, data in loaded.items():
        role = role_of(split)
        if role and role not in splits:
            splits[role] = data.with_format("arrow")[:]
        for column, feature in data.features.items():
            if isinstance(feature, datasets.ClassLabel):
                class_names[column] = tuple(feature.names)
    if "train" not in splits:
        raise DataError(f"data set {dataset!r} has no train split; found: {', '.join(map(str, loaded))}.")
    return Source(dataset, splits, class_names)
