"""Multiple choice: which of some texts goes with a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.choices import ChoiceRows, find_choices, has_labels, read_choices
from compresskit.data.fingerprint import values_fingerprint
from compresskit.data.sources import Source
from compresskit.data.strata import strata_of
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError, one_of
from compresskit.inputs import Row
from compresskit.tasks.base import Reading, TaskKind
from compresskit.tasks.encoding import encode, encode_texts
from compresskit.tasks.examples import Array, DataOptions, Encoded, Examples
from compresskit.tasks.held_out import tested_split
from compresskit.tasks.metrics import accuracy_of_rows, answers_of, metric, prior
from compresskit.tasks.weighted import weighted_metric
from compresskit.tasks.wording import Wording

_METRIC = "accuracy"


@dataclass(frozen=True)
class MultipleChoice(TaskKind):
    """Labels are (rows,) places of the right choice; logits are (rows, choices).

    `Examples.inputs` are (question, choices), and each choice is read behind the question. `choices`: how
    many a question of the training data has; an engine takes any number.
    """

    name = "choice"
    hub_task = "multiple-choice"
    metrics = (_METRIC,)
    has_layout = True
    axes = ("choices", "length")
    num_texts = 2
    example = '("some question", ["one choice", "another choice"])'
    wording = Wording("questions")

    choices: int = 2

    def __post_init__(self) -> None:
        if not isinstance(self.choices, int) or self.choices < 2:
            raise ConfigurationError(f"choices is {self.choices!r}; permitted: a whole number from 2.")

    @property
    def num_labels(self) -> int:
        return 1

    @property
    def request_sizes(self) -> Mapping[str, int]:
        return {"choices": self.choices}

    # Reading

    @classmethod
    def fits(cls, table: Table, options: DataOptions) -> bool:
        try:
            return has_labels(table, find_choices(table, options.text_columns, options.label_column).label)
        except DataError:
            return False  # said when the data are read

    @classmethod
    def is_labelled(cls, table: Table, options: DataOptions, train: Callable[[], Table | None]) -> bool:
        try:
            return has_labels(table, find_choices(table, options.text_columns, options.label_column).label)
        except DataError:  # without such a column
            return False

    @classmethod
    def read(cls, source: Source, options: DataOptions) -> Reading:
        if options.metric not in (None, *cls.metrics):
            raise ConfigurationError(one_of("metric of multiple choice", options.metric, cls.metrics))
        table = source.splits["train"]
        columns = find_choices(table, options.text_columns, options.label_column)
        train = read_choices("train", table, columns)
        tested, notes = tested_split(cls, source, options)
        test = None if tested is None else read_choices(*tested, columns)
        if test is not None and test.size != train.size:
            raise DataError(
                f"a question of the train split has {train.size} choices, one of the {test.split} split "
                f"{test.size}; give both as many."
            )
        given = [rows for rows in (train, test) if rows is not None]
        notes += filter(None, [_places_note(train)])
        notes += filter(None, [rows.missing_note for rows in given])
        return Reading(
            cls((), _METRIC, train.size),
            _examples(train),
            None if test is None else _examples(test),
            table.num_rows,
            columns.texts,
            columns.label,
            tuple(notes),
            values_fingerprint((rows.split, list(_values(rows))) for rows in given),
        )

    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        columns = find_choices(table, options.text_columns, options.label_column)
        return _examples(read_choices(split, table, columns))

    # Rows

    def encode(self, inputs: Sequence[Any], tokenizer: Any, max_length: int) -> Encoded:
        pairs = [(question, choice) for question, choices in inputs for choice in choices]
        found = encode(pairs, tokenizer, max_length)
        return Encoded(_together(found.rows, inputs), found.num_cut, num_texts=len(pairs))

    def encode_served(self, inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> list[Row]:
        asked = _checked(inputs)
        pairs = [(question, choice) for question, choices in asked for choice in choices]
        return _together(encode_texts(tokenizer, pairs, segments=segments), asked)

    def read_texts(
        self, texts: Sequence[tuple[str, ...]], inputs: Sequence[Any]
    ) -> Sequence[tuple[str, ...]]:
        return [(question, *choices) for question, choices in inputs]

    # Judging

    def answers(self, predictions: Array) -> Array:
        return answers_of(self.metric_name, predictions)

    def score(self, predictions: Array, labels: Array) -> float:
        return metric(self.metric_name)(predictions, labels)

    def score_answers(self, answers: Array, labels: Array) -> float:
        return metric(self.metric_name)(answers, labels)

    def prior(self, train_labels: Array, labels: Array) -> float:
        """Of the place that is right most often."""
        return prior(self.metric_name, train_labels, labels)

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        return weighted_metric(self.metric_name, answers, labels, counts, self.choices)

    def mistaken(self, labels: Array, others: Array) -> Array:
        return np.asarray((labels + 1) % self.choices)

    def strata(self, labels: Array) -> npt.NDArray[np.int64]:
        return strata_of(labels)

    def describe(self, labels: Array) -> str:
        right = np.bincount(labels, minlength=self.choices)
        return "the right choice: " + ", ".join(f"{place} ({count:,})" for place, count in enumerate(right))

    def resolution(self, rows: int) -> str:
        return accuracy_of_rows(rows)

    def worded(self, unit: int, answers: Array, inputs: Sequence[Any]) -> tuple[str, Sequence[str]]:
        question, choices = inputs[unit]
        return question, [choices[answers[unit]]]

    # Serving

    def decode(self, predictions: Array, rows: Sequence[Row], inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Of each question its best choice, that one's probability, and those of all."""
        found = []
        for logits, row in zip(predictions, rows, strict=True):
            own = logits[: len(row["input_ids"])].astype(np.float64)
            weights = np.exp(own - own.max())
            scores = weights / weights.sum()
            best = int(scores.argmax())
            found.append({"choice": best, "score": float(scores[best]), "scores": scores.tolist()})
        return found


def _places_note(rows: ChoiceRows) -> str | None:
    """Where labels may count from 1. DataError where one place is always right, which teaches nothing."""
    places = set(rows.labels)
    if len(places) == 1:
        raise DataError(
            f"in every question of the {rows.split} split choice {places.pop()} is right, counted from 0: "
            "nothing can be learnt from them. Give the labels that belong to the questions, counted from 0."
        )
    if 0 in places or len(places) < rows.size - 1:
        return None
    return f"no question of the {rows.split} split has choice 0 right: if labels count from 1, subtract 1"


def _examples(rows: ChoiceRows) -> Examples:
    """What a question asks about is its text by which rows are kept apart: the same one on one side."""
    inputs = [
        (question, tuple(" ".join(filter(None, (*begins, choice))) for choice in choices))
        for (question, *begins), choices in zip(rows.questions, rows.choices, strict=True)
    ]
    texts: list[tuple[str, ...]] = [(question,) for question, _ in inputs]
    notes = () if rows.missing_note is None else (rows.missing_note,)
    return Examples(texts, np.asarray(rows.labels, dtype=np.int64), inputs, notes)


def _values(rows: ChoiceRows) -> Iterator[tuple[str, ...]]:
    for question, choices, label in zip(rows.questions, rows.choices, rows.labels, strict=True):
        yield (*question, *choices, str(label))


def _together(texts: Sequence[Row], inputs: Sequence[tuple[str, Sequence[str]]]) -> list[Row]:
    """Rows of the choices of each question, of which each is a row of `texts`."""
    rest = iter(texts)
    found: list[Row] = []
    for _, choices in inputs:
        own = list(islice(rest, len(choices)))
        found.append({name: [text[name] for text in own] for name in own[0]})
    return found


def _checked(inputs: Sequence[Any]) -> list[tuple[str, tuple[str, ...]]]:
    form = "permitted: (question, [choice, ...]) with one choice or more, all of them texts."
    if isinstance(inputs, str):
        raise DataError(f"texts is one string; {form}")
    found: list[tuple[str, tuple[str, ...]]] = []
    for number, given in enumerate(inputs):
        question, choices = given if isinstance(given, list | tuple) and len(given) == 2 else (None, ())
        texts = tuple(choices) if isinstance(choices, list | tuple) else ()
        if not isinstance(question, str) or not texts or not all(isinstance(text, str) for text in texts):
            raise DataError(f"texts[{number}] is {given!r:.60}; {form}")
        found.append((question, texts))
    return found


TASK = MultipleChoice
