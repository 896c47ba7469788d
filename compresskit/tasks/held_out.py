"""Which of a data set's splits tests."""

from __future__ import annotations

from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.errors import DataError
from compresskit.tasks.base import DataOptions, TaskKind


def test_table(
    kind: type[TaskKind], source: Source, options: DataOptions
) -> tuple[tuple[str, Table] | None, list[str]]:
    """Name and table of the labelled test split, else of validation; None where training is to be cut.

    And notes for the user. Raises DataError for a split without rows.
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
            notes.append(
                "the test split tests; validation is cut from training, the validation split is not used"
            )
        return (name, table), notes
    return None, notes
