"""What tasks of whole texts share: one or two texts a row, and a label."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.columns import find_label_column, find_text_columns
from compresskit.data.fingerprint import rows_fingerprint
from compresskit.data.rows import Rows, is_labelled, missing_note, read_rows
from compresskit.data.sources import Source
from compresskit.data.strata import strata_of
from compresskit.data.table import Table
from compresskit.inputs import Row
from compresskit.tasks.base import Reading, TaskKind
from compresskit.tasks.encoding import encode, encode_texts
from compresskit.tasks.examples import Array, DataOptions, Encoded, Examples
from compresskit.tasks.held_out import tested_split
from compresskit.tasks.label_ids import Labels, read_labels
from compresskit.tasks.metrics import answers_of, metric, metric_for, prior
from compresskit.tasks.weighted import share, weighted_metric


class TextInputs(TaskKind):
    """`Examples.texts` are what is encoded."""

    hub_task = "text-classification"

    def encode(self, inputs: Sequence[Any], tokenizer: Any, max_length: int) -> Encoded:
        return encode(inputs, tokenizer, max_length)

    def encode_served(self, inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> list[Row]:
        return encode_texts(tokenizer, inputs, segments=segments)

    def groups(self, answers: Array, labels: Array) -> Mapping[str, tuple[float, int]]:
        if not self.labels:
            return {}
        said, true = (self._held(each) for each in (answers, labels))
        f1 = share(2.0 * (said & true).sum(0), (said.sum(0) + true.sum(0)).astype(np.float64))
        return dict(zip(self.labels, zip(f1.tolist(), true.sum(0).tolist(), strict=True), strict=True))

    def worded(self, unit: int, answers: Array, inputs: Sequence[Any]) -> tuple[str, Sequence[str]]:
        asked = " / ".join(inputs[unit])
        if not self.labels:
            return asked, [f"{answers[unit]:.3g}"]
        names = [self.labels[place] for place in np.flatnonzero(self._held(answers[unit : unit + 1])[0])]
        return asked, names or ["no label"]

    def _held(self, answers: Array) -> npt.NDArray[np.bool_]:
        """(rows, labels) which of them an answer holds."""
        return answers > 0 if answers.ndim > 1 else answers[:, None] == np.arange(len(self.labels))


@dataclass(frozen=True)
class TextKind(TextInputs):
    """`Examples.labels` are (rows,)."""

    @classmethod
    def is_labelled(cls, table: Table, options: DataOptions, train: Callable[[], Table | None]) -> bool:
        """-1 in every row is the hub's mark of a split without labels, unless training has it as a class."""
        label = options.label_column or find_label_column(table)
        if is_labelled(table, label, ()):
            return True
        if label not in table.columns or all(value is None for value in table.columns[label]):
            return False
        known = train()
        if known is None or label not in known.columns or known.class_names.get(label):
            return False
        return is_labelled(table, label, {-1} if _holds_minus_one(known.columns[label]) else ())

    @classmethod
    def read(cls, source: Source, options: DataOptions) -> Reading:
        table = source.splits["train"]
        label = find_label_column(table, options.label_column)
        columns = find_text_columns(table, label, options.text_columns or None)
        class_names = table.class_names.get(label, ())
        train = read_rows("train", table, columns, label)
        tested, notes = tested_split(cls, source, replace(options, label_column=label))
        test = None if tested is None else read_rows(*tested, columns, label, class_names)
        given = [rows for rows in (train, test) if rows is not None]
        labels = read_labels(train, kind=cls.name, class_names=class_names, label2id=cls.head(options))
        notes += filter(None, map(missing_note, given))
        notes += [*labels.notes, *filter(None, (labels.spelling_note(rows) for rows in given[1:]))]
        return Reading(
            cls(labels.names, metric_for(cls.name, options.dataset, options.metric)),
            _examples(train, labels),
            None if test is None else _examples(test, labels),
            table.num_rows,
            columns,
            label,
            tuple(notes),
            rows_fingerprint(given, class_names),
        )

    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        label = find_label_column(table, options.label_column)
        rows = read_rows(split, table, find_text_columns(table, label, options.text_columns or None), label)
        labels, notes = self._known(rows, table.class_names.get(label, ()), source)
        missing = missing_note(rows)
        return Examples(rows.texts, labels, rows.texts, (*((missing,) if missing else ()), *notes))

    @abstractmethod
    def _known(self, rows: Rows, class_names: Sequence[str], source: str) -> tuple[Array, tuple[str, ...]]:
        """(rows,) labels by the engine's, and notes on how they were understood. DataError for others."""

    def answers(self, predictions: Array) -> Array:
        return answers_of(self.metric_name, predictions)

    def score(self, predictions: Array, labels: Array) -> float:
        return metric(self.metric_name)(predictions, labels)

    def score_answers(self, answers: Array, labels: Array) -> float:
        return metric(self.metric_name, self.num_labels)(answers, labels)

    def prior(self, train_labels: Array, labels: Array) -> float:
        return prior(self.metric_name, train_labels, labels)

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        return weighted_metric(self.metric_name, answers, labels, counts, self.num_labels)

    def strata(self, labels: Array) -> npt.NDArray[np.int64]:
        return strata_of(labels)


def _examples(rows: Rows, labels: Labels) -> Examples:
    return Examples(rows.texts, labels.encode(rows), rows.texts)


def _holds_minus_one(values: Sequence[Any]) -> bool:
    return any(str(value).strip() == "-1" for value in values)
