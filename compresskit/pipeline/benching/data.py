"""Labelled texts for scoring an engine on its device, read as a search reads them.

Standard library only, parquet where pyarrow is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compresskit.data.columns import find_label_column, find_text_columns
from compresskit.data.conventions import ROLES
from compresskit.data.files import READERS, read_table, split_files
from compresskit.data.label_values import Label
from compresskit.data.rows import is_labelled, missing_note, read_rows
from compresskit.data.table import Table
from compresskit.errors import DataError

_SPLITS = ("test", "validation")


@dataclass(frozen=True)
class LabelledTexts:
    """Complete rows of one split: one or two texts each, and labels as they stand in the file.

    `class_names`: of integer labels, where the file has them. `notes`: what was left out, for the user.
    """

    source: Path
    texts: tuple[tuple[str, ...], ...]
    labels: tuple[Label, ...]
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_labelled(
    dataset: Path | str, *, text_columns: Sequence[str] = (), label_column: str | None = None
) -> LabelledTexts:
    """The labelled test split of a folder (else its validation split), or all rows of one file.

    CSV, TSV and JSON lines need nothing but Python, parquet needs pyarrow. Rows without a text or label are
    left out, as in a search. Raises DataError when there is no such split or row, or a column is missing.
    """
    path = Path(dataset).expanduser()
    if not path.exists():
        raise DataError(f"data set {str(dataset)!r} does not exist; give a local folder or file to bench.")
    if path.is_file():
        return _labelled(path, "test", read_table([path]), text_columns, label_column)
    files = split_files(path)
    for split in _SPLITS:
        if split not in files:
            continue
        table = read_table(files[split])
        label = find_label_column(table, label_column)
        if is_labelled(table, label, ()) or _means_minus_one(files, table, label):
            return _labelled(files[split][0], split, table, text_columns, label)
    raise DataError(
        f"folder {str(path)!r} has no labelled test or validation file; permitted names: "
        f"{', '.join(f'{name}.*' for split in _SPLITS for name in ROLES[split])} with {', '.join(READERS)}."
    )


def _means_minus_one(files: dict[str, list[Path]], table: Table, label: str) -> bool:
    """Whether -1 in every row is a class, as training can tell, and no mark of a split without labels."""
    if "train" not in files or all(value is None for value in table.columns[label]):
        return False
    train = read_table(files["train"])
    if label not in train.columns or train.class_names.get(label):
        return False
    return is_labelled(table, label, {int(v) for v in train.columns[label] if str(v).strip() == "-1"})


def _labelled(
    file: Path, split: str, table: Table, text_columns: Sequence[str], label_column: str | None
) -> LabelledTexts:
    if not table.num_rows:
        raise DataError(f"file {str(file)!r} has no rows.")
    label = find_label_column(table, label_column)
    rows = read_rows(split, table, find_text_columns(table, label, text_columns or None), label)
    note = missing_note(rows)
    return LabelledTexts(
        file,
        tuple(rows.texts),
        tuple(rows.labels),
        table.class_names.get(label, ()),
        () if note is None else (note,),
    )
