"""A data set made ready for a model: split, encoded, with its metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.columns import find_label_column, find_text_columns
from compresskit.data.fingerprint import rows_fingerprint
from compresskit.data.near_copies import near_copies
from compresskit.data.rows import Rows, is_labelled, missing_note, read_rows
from compresskit.data.sources import Source, load_source
from compresskit.data.splits import Cut, cut_all, cut_validation
from compresskit.data.strata import choose_rows, strata_of
from compresskit.errors import DataError
from compresskit.tasks.encoding import Row, check_length, encode
from compresskit.tasks.labels import absent_note, read_labels
from compresskit.tasks.metrics import metric, metric_for, prior

SEARCH_ROWS = 1_000


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of one side. `labels`: (rows,) int64 class ids or float32 numbers; `encoded`: unpadded."""

    texts: list[tuple[str, ...]]
    labels: npt.NDArray[Any]
    encoded: list[Row]

    def __len__(self) -> int:
        return len(self.encoded)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(rows,) tokens of each row."""
        return np.asarray([len(row["input_ids"]) for row in self.encoded], dtype=np.int64)

    def subset(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Split:
        return Split([self.texts[i] for i in rows], self.labels[rows], [self.encoded[i] for i in rows])


@dataclass(frozen=True, eq=False)
class Task:
    """Splits, labels and metric. `search`: the fixed part of validation that search scores on.

    `label_names`: by class id, none for regression. `notes`: what was dropped or cut, for the user.
    `fingerprint`: of the rows as they were read, with their split.
    """

    name: str
    kind: str
    label_names: tuple[str, ...]
    num_labels: int
    metric_name: str
    text_columns: tuple[str, ...]
    label_column: str
    train: Split
    validation: Split
    test: Split
    search: Split
    notes: list[str]
    fingerprint: str = ""

    def score(self, predictions: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
        """The task's metric of logits (rows, labels)."""
        return metric(self.metric_name)(predictions, labels)

    def prior(self, split: Split) -> float:
        """The metric that answering every row alike (majority class, mean) has on `split`."""
        return prior(self.metric_name, self.train.labels, split.labels)


def load_task(
    dataset: str | Path,
    *,
    tokenizer: Any,
    max_length: int,
    text_columns: Sequence[str] | None = None,
    label_column: str | None = None,
    kind: str | None = None,
    metric: str | None = None,
    seed: int = 0,
    label2id: Mapping[str, int] | None = None,
    max_positions: int | None = None,
) -> Task:
    """Load, split and encode a data set.

    `dataset`: a path of a folder or file, or `id[:config]` of the hub. `kind`: classification or
    regression, inferred when None. `label2id`: of a fine-tuned checkpoint whose head is kept.
    `max_positions`: tokens the model takes (see `position_limit`); None: what the tokenizer says.
    Raises DataError for the data, ConfigurationError for kind, metric or length.
    """
    source = load_source(dataset)
    label = find_label_column(source.splits["train"], label_column)
    columns = find_text_columns(source.splits["train"], label, text_columns)
    check_length(max_length, tokenizer, len(columns), max_positions)
    name, num_rows = source.name, source.splits["train"].num_rows
    class_names = source.splits["train"].class_names.get(label, ())
    train = read_rows("train", source.splits["train"], columns, label)
    notes: list[str] = []
    test = _test_rows(source, columns, label, train, notes)
    del source  # the columns that are not used take memory
    given = [rows for rows in (train, test) if rows is not None]
    labels = read_labels(train, kind=kind, class_names=class_names, label2id=label2id)
    metric_name = metric_for(labels.kind, name, metric)
    notes += [note for rows in given if (note := missing_note(rows))]
    notes += [*labels.notes, *filter(None, (labels.spelling_note(rows) for rows in given[1:]))]
    train_labels = labels.encode(train)
    cut = _cut(train, strata_of(train_labels), test, num_rows, seed)
    notes += cut.notes
    test_texts, test_labels = (
        (train.texts, train_labels) if test is None else (test.texts, labels.encode(test))
    )
    test_positions = cut.test if test is None else np.arange(len(test), dtype=np.int64)

    copies = near_copies([train.texts[i] for i in cut.train], [test_texts[i] for i in test_positions])
    notes += filter(None, [copies.note])

    def split(name: str, texts: list[tuple[str, ...]], values: npt.NDArray[Any], positions: Any) -> Split:
        if absent := absent_note(name, values[positions], labels.names):
            notes.append(absent)
        chosen = [texts[i] for i in positions]
        encoded = encode(chosen, tokenizer, max_length)
        if encoded.num_cut:
            notes.append(
                f"{encoded.num_cut:,} of {len(chosen):,} {name} texts were cut to {max_length} tokens"
            )
        return Split(chosen, values[positions], encoded.rows)

    training = split("training", train.texts, train_labels, cut.train)
    validation = split("validation", train.texts, train_labels, cut.validation)
    testing = split("test", test_texts, test_labels, test_positions)
    search = validation.subset(choose_rows(strata_of(validation.labels), SEARCH_ROWS, seed))
    return Task(
        name=name,
        kind=labels.kind,
        label_names=labels.names,
        num_labels=labels.num_labels,
        metric_name=metric_name,
        text_columns=columns,
        label_column=label,
        train=training,
        validation=validation,
        test=testing,
        search=search,
        notes=notes,
        fingerprint=rows_fingerprint(given, class_names),
    )


def _test_rows(
    source: Source, columns: tuple[str, ...], label: str, train: Rows, notes: list[str]
) -> Rows | None:
    """Rows of the split that tests; None when it is to be cut from the training rows."""
    for name in ("test", "validation"):
        table = source.splits.get(name)
        if table is None:
            continue
        if not table.num_rows:
            raise DataError(f"the {name} split is empty; give it rows, or leave it out.")
        if not is_labelled(table, label, train.labels):
            notes.append(f"the {name} split has no labels and is not used")
            continue
        if name == "test" and "validation" in source.splits:
            notes.append(
                "the test split tests; validation is cut from training, the validation split is not used"
            )
        names = source.splits["train"].class_names.get(label, ())
        return read_rows(name, table, columns, label, names)
    return None


def _cut(train: Rows, strata: npt.NDArray[np.int64], test: Rows | None, num_rows: int, seed: int) -> Cut:
    if test is None:
        return cut_all(train.texts, strata, seed=seed)
    return cut_validation(train.texts, strata, test.texts, num_rows=num_rows, seed=seed)
