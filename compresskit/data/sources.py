"""Where rows come from: a file, a folder of files, or a data set of the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compresskit.data.conventions import data_files, role_of
from compresskit.data.files import READERS, from_arrow, read_table, split_files
from compresskit.data.images import folder_splits
from compresskit.data.table import Table
from compresskit.errors import DataError


@dataclass(frozen=True)
class Source:
    """Splits as they came, by role (train, validation, test)."""

    name: str
    splits: Mapping[str, Table]


def load_source(dataset: str | Path) -> Source:
    """Read `dataset`: a path that exists, else a hub id with an optional configuration (`id:config`).

    One file alone, or splits without a training split of their own name, come back as `train`.
    Raises DataError when nothing is found, a file cannot be read, or a folder holds no split.
    """
    path = Path(dataset).expanduser()
    if path.is_dir():
        return _from_folder(path)
    if path.is_file():
        return Source(path.stem, {"train": read_table([path])})
    if _looks_like_path(str(dataset)):
        raise DataError(
            f"data set {str(dataset)!r} does not exist; give a folder with train.* and test.* or "
            f"validation.*, a file ({', '.join(READERS)}), or a hub id such as nyu-mll/glue:sst2."
        )
    return _from_hub(str(dataset))


def _looks_like_path(dataset: str) -> bool:
    return (
        dataset.startswith(("/", ".", "~"))
        or dataset.count("/") > 1
        or "\\" in dataset
        or Path(dataset).suffix in READERS
    )


def _from_folder(folder: Path) -> Source:
    files, by_role = data_files(folder, READERS), split_files(folder)
    if not files and (images := folder_splits(folder)):
        return Source(folder.resolve().name, images)
    if "train" not in by_role and len(files) == 1:
        return Source(folder.name, {"train": read_table(files)})
    if "train" not in by_role:
        found = ", ".join(p.name for p in files[:10]) or "no data file"
        raise DataError(
            f"folder {str(folder)!r} has no training split; found: {found}. Name the files train.*, "
            f"validation.* and test.*, each {', '.join(READERS)}."
        )
    return Source(folder.resolve().name, {role: read_table(parts) for role, parts in by_role.items()})


def _from_hub(dataset: str) -> Source:
    import datasets

    name, _, config = dataset.partition(":")
    try:
        loaded: Any = datasets.load_dataset(name, config or None)
    except Exception as error:  # the hub's client raises many kinds: network, name, configuration, access
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(
            f"data set {dataset!r} is not a local path and cannot be loaded from the hub: {reason}. Give id "
            "or id:config of a data set, or the path of a folder or file."
        ) from error
    splits: dict[str, Table] = {}
    for split, data in loaded.items():
        role = role_of(split)
        if role and role not in splits:
            features = {
                column: tuple(inner.names)
                for column, feature in data.features.items()
                if isinstance(inner := getattr(feature, "feature", feature), datasets.ClassLabel)
            }
            splits[role] = replace(from_arrow(data.with_format("arrow")[:]), class_names=features)
    if "train" not in splits:
        raise DataError(f"data set {dataset!r} has no train split; found: {', '.join(map(str, loaded))}.")
    return Source(dataset, splits)
