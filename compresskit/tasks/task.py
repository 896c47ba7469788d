"""A data set made ready for a model: read, split and encoded by its task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.near_copies import near_copies
from compresskit.data.splits import Sides, cut_all, cut_validation
from compresskit.data.strata import choose_rows
from compresskit.data.units import units_of
from compresskit.errors import ConfigurationError
from compresskit.inputs import PIXELS, TEXT, TOKEN_IDS, InputSpec, Row, origins
from compresskit.tasks.base import TaskKind
from compresskit.tasks.encoding import USUAL_LENGTH, row_length
from compresskit.tasks.examples import DataOptions, Examples
from compresskit.tasks.judge import Judge
from compresskit.tasks.registry import read_data
from compresskit.tasks.sentence import Sentence

SEARCH_ROWS = 1_000
_READ = {TOKEN_IDS: "texts", PIXELS: "images"}


@dataclass(frozen=True, eq=False)
class Split:
    """Inputs of one side, with their texts. `labels`: (inputs, ...) as the task has them.

    `encoded`: the unpadded rows of which batches are made, one of an input or several: see `origins`.
    `inputs`: what was encoded, where that is not the texts.
    """

    texts: list[tuple[str, ...]]
    labels: npt.NDArray[Any]
    encoded: Sequence[Row]
    inputs: Sequence[Any] | None = None

    def __len__(self) -> int:
        return len(self.encoded)

    @property
    def raw(self) -> Sequence[Any]:
        """What an engine is given for these rows."""
        return self.texts if self.inputs is None else self.inputs

    @cached_property
    def origins(self) -> npt.NDArray[np.int64]:
        """(rows,) the input of each row."""
        return origins(self.encoded)

    def labelled(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> tuple[list[Row], npt.NDArray[Any]]:
        """These rows, and the labels of their inputs."""
        return [self.encoded[i] for i in rows], self.labels[self.origins[rows]]

    def subset(self, chosen: Sequence[int] | npt.NDArray[np.int64]) -> Split:
        """These inputs with all their rows."""
        starts = np.searchsorted(self.origins, np.arange(len(self.labels) + 1))
        inputs = None if self.inputs is None else [self.inputs[i] for i in chosen]
        encoded = [row for i in chosen for row in self.encoded[starts[i] : starts[i + 1]]]
        return Split([self.texts[i] for i in chosen], self.labels[chosen], encoded, inputs)


@dataclass(frozen=True, eq=False)
class JudgeSet:
    """Rows that judge a model beside the task's metric. `split.labels` are in the form of `judge`.

    `fingerprint`: of the rows as they were read.
    """

    judge: Judge
    split: Split
    fingerprint: str

    def answers(self, predictions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The judge's, from the task's predictions of `split`."""
        return self.judge.answers(self.judge.predictions(predictions, self.split.encoded))


@dataclass(frozen=True, eq=False)
class Task:
    """Splits of a data set, and what they mean. `search`: the fixed part of validation that search scores on.

    `kind` has labels and metric, `inputs` says how rows become a batch. `notes`: what was dropped or cut, for
    the user. `fingerprint`: of the rows as they were read, with their split. `judges`: by their names.
    `max_length`: tokens at which rows were cut; 0: rows are no texts.
    """

    name: str
    kind: TaskKind
    text_columns: tuple[str, ...]
    label_column: str
    train: Split
    validation: Split
    test: Split
    search: Split
    notes: list[str]
    fingerprint: str = ""
    inputs: InputSpec = TEXT
    judges: Mapping[str, JudgeSet] = field(default_factory=dict)
    max_length: int = USUAL_LENGTH

    def lengths(self, split: Split) -> npt.NDArray[np.int64]:
        """(rows,) tokens of each row."""
        return self.inputs.lengths(split.encoded)

    @property
    def num_texts(self) -> int:
        """How many texts a tokenizer is given at once."""
        return self.kind.num_texts or len(self.text_columns)

    @property
    def metric_name(self) -> str:
        return self.kind.metric_name

    def score(self, predictions: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
        """The task's metric of predictions, as a fraction."""
        return self.kind.score(predictions, labels)

    def fitted(self, predictions: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Task:
        """This task for a model with these predictions of validation rows: see `TaskKind.fitted`."""
        return replace(self, kind=self.kind.fitted(predictions, labels))

    def taught(self, predict: Callable[[Split], npt.NDArray[Any]]) -> Task:
        """With the dense model's answers for labels of rows that score; `predict`: what it says of them."""
        scored = (self.validation, self.test, self.search)
        validation, test, search = (
            replace(split, labels=self.kind.answers(predict(split))) for split in scored
        )
        return replace(self, validation=validation, test=test, search=search)

    def prior(self, split: Split) -> float:
        """The metric on `split` of the best answer that is the same for every row (majority class, mean)."""
        return self.kind.prior(self.train.labels, split.labels)


def load_task(
    dataset: str | Path,
    *,
    tokenizer: Any,
    max_length: int | None = None,
    text_columns: Sequence[str] | None = None,
    label_column: str | None = None,
    kind: str | None = None,
    metric: str | None = None,
    seed: int = 0,
    label2id: Mapping[str, int] | None = None,
    head_task: str | None = None,
    head_problem: str | None = None,
    max_positions: int | None = None,
    inputs: InputSpec = TEXT,
    sentence: Sentence | None = None,
) -> Task:
    """Load, split and encode a data set.

    `dataset`: a path of a folder or file, or `id[:config]` of the hub. `kind`: name of the task, inferred
    when None. `label2id`: of a fine-tuned checkpoint whose head is kept, if it is of `head_task` and of
    `head_problem`, its problem type.
    `max_length`: None for what the task takes. `max_positions`: tokens the model takes (see
    `position_limit`); None: what the tokenizer says. `inputs`: of the model. `sentence`: how the model makes
    vectors. Raises DataError for the data, ConfigurationError for kind, metric or length.
    """
    options = DataOptions(
        tuple(text_columns or ()), label_column, metric, label2id, head_task, head_problem, sentence
    )
    name, read = read_data(dataset, kind, options)
    if (given := inputs.names[0]) != read.kind.reads:
        raise ConfigurationError(
            f"task {read.kind.name} reads {_READ[read.kind.reads]}, and this model {_READ[given]}; give a "
            f"model that reads {_READ[read.kind.reads]}, or another --task."
        )
    train, task = read.train, read.kind
    if task.reads == TOKEN_IDS:
        num_texts, usual = task.num_texts or len(read.columns), task.usual_length(tokenizer)
        max_length = row_length(max_length, usual, tokenizer, num_texts, max_positions)
    elif max_length is not None:
        raise ConfigurationError(
            f"max length cuts texts, which task {task.name} does not read; leave it out."
        )
    notes = [*read.notes]
    cut = _cut(task, train, read.test, read.num_rows, seed)
    notes += cut.notes
    tested = train if read.test is None else read.test
    test_positions = cut.test if read.test is None else np.arange(len(tested), dtype=np.int64)

    def split(name: str, rows: Examples, positions: npt.NDArray[np.int64]) -> Split:
        if name != "training" and task.most_tested is not None:
            positions = positions[choose_rows(task.strata(rows.labels[positions]), task.most_tested, seed)]
        labels = rows.labels[positions]
        if absent := task.absent(name, labels):
            notes.append(absent)
        inputs = [rows.inputs[i] for i in positions]
        encoded = task.encode(inputs, tokenizer, max_length or 0)
        if encoded.num_cut:
            notes.append(
                f"{encoded.num_cut:,} of {encoded.num_texts or len(inputs):,} {name} texts were cut to "
                f"{max_length} tokens"
            )
        if encoded.note:
            notes.append(f"{name}: {encoded.note}")
        texts = [rows.texts[i] for i in positions]
        return Split(texts, labels, encoded.rows, None if rows.inputs is rows.texts else inputs)

    training = split("training", train, cut.train)
    validation = split("validation", train, cut.validation)
    testing = split("test", tested, test_positions)
    search = validation.subset(_searched(task, validation, seed))
    return Task(
        name=name,
        kind=task,
        text_columns=read.columns,
        label_column=read.label_column,
        train=training,
        validation=validation,
        test=testing,
        search=search,
        notes=notes,
        fingerprint=read.fingerprint,
        inputs=inputs.along(task.axes),
        max_length=max_length or 0,
    )


def _cut(kind: TaskKind, train: Examples, test: Examples | None, num_rows: int, seed: int) -> Sides:
    """Rows of whole units; `test` of the sides is empty where there are test rows."""
    units = units_of(train.texts, kind.unit)
    texts, strata = [train.texts[i] for i in units.first], kind.strata(train.labels)[units.first]
    if test is None:
        cut = cut_all(texts, strata, seed=seed, unit=kind.unit)
        tested = [texts[i] for i in cut.test]
    else:
        tested = [test.texts[i] for i in units_of(test.texts, kind.unit).first]
        cut = cut_validation(texts, strata, tested, num_rows=num_rows, seed=seed, unit=kind.unit)
    copies = near_copies([texts[i] for i in cut.train], tested, kind.unit)
    notes = (*cut.notes, *filter(None, [copies.note]))
    return Sides(units.rows(cut.train), units.rows(cut.validation), units.rows(cut.test), notes)


def _searched(kind: TaskKind, validation: Split, seed: int) -> npt.NDArray[np.int64]:
    """Rows that a search scores: about `SEARCH_ROWS`, of whole units."""
    units = units_of(validation.texts, kind.unit)
    strata = np.unique(kind.strata(validation.labels)[units.first], return_inverse=True)[1]
    size = max(SEARCH_ROWS * len(units.first) // len(validation), 1)
    return units.rows(choose_rows(strata.astype(np.int64), size, seed))
