"""The rows that engines are scored on in a bench, from the split that tests, read as a search reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from compresskit.data.conventions import ROLES
from compresskit.data.files import READERS, read_table, split_files
from compresskit.data.images import folder_splits
from compresskit.data.table import Table
from compresskit.errors import DataError
from compresskit.tasks.base import TaskKind
from compresskit.tasks.examples import DataOptions, Examples
from compresskit.tasks.registry import DEFAULT, task_kinds

_SPLITS = ("test", "validation")


@dataclass(frozen=True)
class LabelledTable:
    """One split of a local data set; `source` is its file."""

    source: Path
    split: str
    table: Table


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Rows of a data set for each engine, None for what is no engine; `notes` on them for the user."""

    source: str
    of: tuple[Examples | None, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(note for each in self.of if each is not None for note in each.notes))


def read_for(kinds: Sequence[TaskKind | None], dataset: Path | str, options: DataOptions) -> LabelledRows:
    """Rows for engines of `kinds`.

    Raises DataError as `labelled_table` does, and for labels that an engine does not know.
    """
    tasks = dict.fromkeys(kind for kind in kinds if kind is not None)
    first: type[TaskKind] = next(map(type, tasks), task_kinds()[DEFAULT])
    if (folder := first.read_folder(Path(dataset).expanduser())) is not None:
        return LabelledRows(str(dataset), tuple(folder if type(kind) is first else None for kind in kinds))
    try:
        found = labelled_table(dataset, first, options)
        read = {kind: kind.read_test(found.table, found.split, str(found.source), options) for kind in tasks}
    except DataError as error:
        raise DataError(f"{error} {first.scored_by()}".rstrip()) from None
    return LabelledRows(str(found.source), tuple(None if kind is None else read[kind] for kind in kinds))


def labelled_table(dataset: Path | str, kind: type[TaskKind], options: DataOptions) -> LabelledTable:
    """The split of a folder that is labelled, test before validation, or all rows of one file.

    CSV, TSV and JSON lines need nothing but Python, parquet needs pyarrow. Raises DataError when there is no
    such split or row.
    """
    path = Path(dataset).expanduser()
    if not path.exists():
        raise DataError(f"data set {str(dataset)!r} does not exist; give a local folder or file.")
    if path.is_file():
        return _with_rows(path, "test", read_table([path]))
    files = split_files(path)
    if not files and (images := folder_splits(path)):
        split = next((name for name in _SPLITS if name in images), "train")
        return _with_rows(path, split if split in _SPLITS else "test", images[split])
    unlabelled = []
    for split in _SPLITS:
        if split not in files:
            continue
        table = read_table(files[split])
        if kind.is_labelled(table, options, lambda: _training(files)):
            return _with_rows(files[split][0], split, table)
        unlabelled.append(f"{files[split][0].name} ({', '.join(table.names)})")
    if unlabelled:
        raise DataError(
            f"folder {str(path)!r} has no labels of task {kind.name} in {' or in '.join(unlabelled)}; give "
            "data of this task, or name their columns with --text-column and --label-column."
        )
    raise DataError(
        f"folder {str(path)!r} has no labelled test or validation file; permitted names: "
        f"{', '.join(f'{name}.*' for split in _SPLITS for name in ROLES[split])} with {', '.join(READERS)}."
    )


def _training(files: Mapping[str, Sequence[Path]]) -> Table | None:
    return read_table(files["train"]) if "train" in files else None


def _with_rows(file: Path, split: str, table: Table) -> LabelledTable:
    if not table.num_rows:
        raise DataError(f"file {str(file)!r} has no rows.")
    return LabelledTable(file, split, table)
