"""The split that tests, of those that a data set has."""

from __future__ import annotations

from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.errors import DataError
from compresskit.tasks.base import TaskKind
from compresskit.tasks.examples import DataOptions


def tested_split(
    kind: type[TaskKind], source: Source, options: DataOptions
) -> tuple[tuple[str, Table] | None, list[str]]:
    """Name and table of the split that tests, None where it is to be cut from training; and notes.

    `options` name the label column. DataError for a split without rows.
    """
    notes: list[str] = []
    for name in ("test", "validation"):
        table = source.splits.get(name)
        if table is None:
            continue
        if not table.num_rows:
            raise DataError(f"the {name} split is empty; give it rows, or leave it out.")
        if not kind.is_labelled(table, options, lambda: source.splits["train"]):
            notes.append(f"the {name} split has no labels and is not used")
            continue
        if name == "test" and "validation" in source.splits:
            unused = "validation is cut from training, the validation split is not used"
            notes.append(f"the test split tests; {unused}")
        return (name, table), notes
    return None, notes
