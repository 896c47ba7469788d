"""Several labels a text, or a pair of texts: each of its own, from a threshold of its probability on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from compresskit.data.columns import find_text_columns
from compresskit.data.fingerprint import values_fingerprint
from compresskit.data.label_sets import (
    LabelSetRows,
    check_joined,
    find_label_columns,
    guess_note,
    has_labels,
    holds_lists,
    read_sets,
)
from compresskit.data.rows import missing_note
from compresskit.data.sources import Source
from compresskit.data.strata import rarest_held
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError, one_of, some
from compresskit.inputs import Row
from compresskit.tasks.base import Reading
from compresskit.tasks.examples import Array, DataOptions, Examples
from compresskit.tasks.held_out import tested_split
from compresskit.tasks.label_ids import engine_ids, read_labels
from compresskit.tasks.metrics import MIDDLE, best_threshold
from compresskit.tasks.text import TextInputs
from compresskit.tasks.weighted import share
from compresskit.tasks.wording import Wording

if TYPE_CHECKING:
    from typing import Self  # in Python 3.11 and later

MICRO, MACRO = "micro_f1", "macro_f1"
LEAST = 5  # rows with a label, from which its threshold is its own


@dataclass(frozen=True)
class LabelSets(TextInputs):
    """`Examples.labels` are (rows, labels) of 0 and 1; logits are (rows, labels).

    `thresholds`: the probability of each label from which a row has it; empty: `MIDDLE` of all. They are
    chosen on validation rows: by micro F1 one for all labels, by macro F1 one for each of `LEAST` rows.
    """

    name = "labels"
    metrics = (MICRO, MACRO)
    problem_types = ("multi_label_classification",)
    wording = Wording(right="An answer is right with all labels of its text and no other.", group="label")

    thresholds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", tuple(self.thresholds))  # JSON has lists
        within = all(isinstance(each, float | int) and 0 <= each <= 1 for each in self.thresholds)
        if not within or len(self.thresholds) not in (0, len(self.labels)):
            raise ConfigurationError(
                f"thresholds are {some(self.thresholds)}; permitted: a number from 0 to 1 for each of "
                f"{len(self.labels)} labels."
            )

    # Reading

    @classmethod
    def fits(cls, table: Table, options: DataOptions) -> bool:
        """Lists of names beside a text, columns of 0 and 1 and none of labels, or a checkpoint for them."""
        if options.label2id is not None and options.head_problem in cls.problem_types:
            return True
        try:
            columns = find_label_columns(table, options.label_column)
            find_text_columns(table, columns[0], options.text_columns or None)
        except DataError:
            return False  # said when the data are read
        return len(columns) > 1 or holds_lists(table, columns[0])

    @classmethod
    def is_labelled(cls, table: Table, options: DataOptions, train: Callable[[], Table | None]) -> bool:
        """False for a split without labels: see `has_labels`."""
        try:
            return has_labels(table, find_label_columns(table, options.label_column))
        except DataError:  # without such a column
            return False

    @classmethod
    def read(cls, source: Source, options: DataOptions) -> Reading:
        metric_name = options.metric or cls.metrics[0]
        if metric_name not in cls.metrics:
            raise ConfigurationError(one_of("metric of several labels", metric_name, cls.metrics))
        table = source.splits["train"]
        columns = find_label_columns(table, options.label_column)
        texts = find_text_columns(table, columns[0], options.text_columns or None)
        named = ",".join(columns)
        tested, notes = tested_split(cls, source, replace(options, label_column=named))
        train = read_sets("train", table, texts, columns)
        given = [train] if tested is None else [train, read_sets(*tested, texts, columns)]
        flat = [rows.flat for rows in given]
        if not len(flat[0]):
            raise DataError(f"no row of the train split has a label ({named}); see --label-column.")
        check_joined(train)
        head = cls.head(options)
        labels = read_labels(flat[0], label2id=head)
        absent = [name for name in columns if name not in flat[0].labels] if columns[1:] and not head else []
        if absent:
            notes.append(f"labels without a train row are left out: {len(absent)} ({some(absent)})")
        guess = None if options.label_column or head else guess_note(train, columns)
        notes += filter(None, [guess, *(missing_note(rows.rows) for rows in given)])
        notes += [*labels.notes, *filter(None, (labels.spelling_note(rows) for rows in flat[1:]))]
        kind = cls(labels.names, metric_name)
        examples = [kind._examples(rows, labels.encode(each)) for rows, each in zip(given, flat, strict=True)]
        return Reading(
            kind,
            examples[0],
            examples[1] if len(examples) > 1 else None,
            table.num_rows,
            texts,
            named,
            tuple(notes),
            values_fingerprint((rows.rows.split, list(rows.values())) for rows in given),
        )

    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        columns = find_label_columns(table, options.label_column, self.labels)
        texts = find_text_columns(table, columns[0], options.text_columns or None)
        rows = read_sets(split, table, texts, columns)
        ids, notes = engine_ids(rows.flat, self.labels, (), source)
        return self._examples(rows, ids, (*filter(None, [missing_note(rows.rows)]), *notes))

    def _examples(self, rows: LabelSetRows, ids: Array, notes: tuple[str, ...] = ()) -> Examples:
        labels = np.zeros((len(rows.rows), len(self.labels)), dtype=np.int64)
        labels[np.repeat(np.arange(len(labels)), [len(each) for each in rows.sets]), ids.astype(np.int64)] = 1
        return Examples(rows.rows.texts, labels, rows.rows.texts, notes)

    # Learning

    def configure(self, config: Any) -> None:
        super().configure(config)
        config.problem_type = self.problem_types[0]

    def first_bias(self, labels: Array) -> Array:
        """Log-odds of each label, so that rare ones do not drive the head to its prior first, where it stays.

        Lin et al., Focal Loss for Dense Object Detection, arXiv 1708.02002, section 4.1.
        """
        rates = labels.mean(0).clip(0.5 / len(labels), 1 - 0.5 / len(labels))
        return np.asarray(np.log(rates / (1 - rates)))

    def compared(self, said: Any, targets: Any) -> tuple[Any, Any]:
        """Each label is a choice of two, of logits 0 and z: its cross-entropy is that of a sigmoid of z."""
        pairs = said.unsqueeze(-1) * said.new_tensor([0.0, 1.0])
        return pairs.flatten(0, 1), targets.flatten()

    # Judging

    def fitted(self, predictions: Array, labels: Array) -> Self:
        found = _probabilities(self.metric_name, predictions)
        best = [best_threshold(found.ravel(), labels.ravel())] * len(self.labels)
        if self.metric_name == MACRO:
            for place in np.flatnonzero(labels.sum(0) >= LEAST):
                best[place] = best_threshold(found[:, place], labels[:, place])
        return replace(self, thresholds=tuple(best))

    def answers(self, predictions: Array) -> Array:
        found = _probabilities(self.metric_name, predictions)
        return (found >= np.asarray(self.thresholds or MIDDLE)).astype(np.int64)

    def score_answers(self, answers: Array, labels: Array) -> float:
        return float(self.weighted(answers, labels, np.ones((1, len(labels))))[0])

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        """Macro F1 is the mean over the labels that a sample has rows of, whatever is said."""
        parts = (answers * labels, answers, labels)
        if self.metric_name == MICRO:
            hits, said, true = (counts @ part.sum(1) for part in parts)
            return share(2 * hits, said + true)
        hits, said, true = (counts @ part for part in parts)
        return share((share(2 * hits, said + true) * (true > 0)).sum(1), (true > 0).sum(1))

    def prior(self, train_labels: Array, labels: Array) -> float:
        """Of the most frequent labels, as many as are best on training; all of them by macro F1."""
        held = self.counts(train_labels)
        order = np.argsort(-held, kind="stable")
        said = np.arange(1, len(order) + 1) * len(train_labels)
        size = int(np.argmax(share(2 * np.cumsum(held[order]), said + held.sum()))) + 1
        answer = np.zeros_like(held)
        answer[order[: size if self.metric_name == MICRO else len(order)]] = 1
        return self.score_answers(np.tile(answer, (len(labels), 1)), labels)

    def strata(self, labels: Array) -> npt.NDArray[np.int64]:
        return rarest_held(labels > 0)

    def counts(self, labels: Array) -> Array:
        return np.asarray(labels.sum(0))

    def mistaken(self, labels: Array, others: Array) -> Array:
        """No label is found; a row without any has the most frequent one."""
        wrong = np.zeros_like(labels)
        wrong[labels.sum(1) == 0, int(others.sum(0).argmax())] = 1
        return wrong

    def class_pairs(self, answers: Array, labels: Array) -> tuple[Array, Array]:
        """Of rows that have one label and are given one."""
        single = (answers.sum(1) == 1) & (labels.sum(1) == 1)
        return answers[single].argmax(1), labels[single].argmax(1)

    def absent(self, name: str, labels: Array) -> str | None:
        absent = [self.labels[place] for place in np.flatnonzero(self.counts(labels) == 0)]
        if not absent:
            return None
        shared = "; they share one threshold" if (name, self.metric_name) == ("validation", MACRO) else ""
        return f"labels without a {name} row: {len(absent)} of {len(self.labels)} ({some(absent)}){shared}"

    def resolution(self, rows: int) -> str:
        return f"one row in {rows} can move F1 by about {100 / rows:.1f} points"

    # Serving

    def decode(
        self, predictions: Array, rows: Sequence[Row], inputs: Sequence[Any]
    ) -> list[list[dict[str, Any]]]:
        """Of each text its labels, the most probable first, with their probabilities."""
        if not len(predictions):
            return []
        found, given = _probabilities(self.metric_name, predictions), self.answers(predictions)
        return [
            [
                {"label": self.labels[place], "score": float(score[place])}
                for place in np.argsort(-score, kind="stable")
                if has[place]
            ]
            for score, has in zip(found, given, strict=True)
        ]


def _probabilities(metric_name: str, logits: Array) -> npt.NDArray[np.float64]:
    if not np.isfinite(logits).all():
        raise DataError(
            f"{metric_name} cannot be computed: predictions hold values that are not finite. If training "
            "diverged, give a lower --learning-rate."
        )
    return np.asarray(1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -60, 60))))


TASK = LabelSets
