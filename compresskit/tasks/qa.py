"""Extractive question answering: the part of a context that answers a question, or that none does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from compresskit.data.fingerprint import values_fingerprint
from compresskit.data.sources import Source
from compresskit.data.squad import QuestionRows, find_questions, questions_of, read_questions, unnested
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError, one_of
from compresskit.inputs import Row
from compresskit.tasks.base import Reading, TaskKind
from compresskit.tasks.examples import IGNORED, Array, DataOptions, Encoded, Examples
from compresskit.tasks.held_out import tested_split
from compresskit.tasks.qa_labels import WORDS, has_answer, labels_of, notes_on, wrong_answers
from compresskit.tasks.qa_metric import METRICS, exact_match, f1
from compresskit.tasks.qa_spans import (
    MARGIN,
    OF_NONE,
    PROBABILITY,
    SPAN,
    best_answers,
    best_threshold,
)
from compresskit.tasks.qa_windows import FIRST, LAST, encode_windows, marks, question_of
from compresskit.tasks.weighted import share
from compresskit.tasks.wording import Wording

if TYPE_CHECKING:
    from typing import Self  # in Python 3.11 and later

_HIDDEN = -1e4  # a logit that no softmax sees


@dataclass(frozen=True)
class QuestionAnswering(TaskKind):
    """`Examples.labels` are (questions, answers, ...) of `qa_labels`; a model gives one answer a question.

    Rows are windows of contexts, logits (windows, tokens, 2).

    `null_threshold`: how much more no answer has to score than the best one to be given, chosen on validation
    rows; None: all questions of training have an answer, and a model always gives one.
    """

    name = "qa"
    hub_task = "question-answering"
    metrics = tuple(METRICS)
    example = '("some question", "some context")'
    wording = Wording("questions", "An answer is right if it matches exactly.", group="kind of question")

    null_threshold: float | None = None

    @property
    def num_labels(self) -> int:
        """Start and end."""
        return 2

    # Reading

    @classmethod
    def fits(cls, table: Table, options: DataOptions) -> bool:
        try:
            return find_questions(unnested(table), options.text_columns, options.label_column) is not None
        except DataError:
            return False  # said when the data are read

    @classmethod
    def is_labelled(cls, table: Table, options: DataOptions, train: Callable[[], Table | None]) -> bool:
        """False where no question has an answer, as in a split whose answers are kept secret."""
        table = unnested(table)
        columns = find_questions(table, options.text_columns, options.label_column)
        if columns is None:
            return False
        values = table.columns[columns.answers]
        return any(value.get("text") if isinstance(value, dict) else value for value in values)

    @classmethod
    def read(cls, source: Source, options: DataOptions) -> Reading:
        metric_name = options.metric or cls.metrics[0]
        if metric_name not in cls.metrics:
            raise ConfigurationError(one_of("metric of question answering", metric_name, cls.metrics))
        table = unnested(source.splits["train"])
        columns = questions_of(table, options.text_columns, options.label_column)
        train = read_questions("train", table, columns)
        if train.num_without == len(train):
            raise DataError(
                f"no question of the train split has an answer in column {columns.answers!r}; name another "
                "with --label-column, or give questions with answers."
            )
        tested, notes = tested_split(cls, source, options)
        test = None if tested is None else read_questions(tested[0], unnested(tested[1]), columns)
        given = [rows for rows in (train, test) if rows is not None]
        kind = cls((), metric_name, 0.0 if train.num_without else None)
        examples = [kind._examples(rows) for rows in given]
        notes += [note for each in examples for note in each.notes]
        return Reading(
            kind,
            examples[0],
            examples[1] if len(examples) > 1 else None,
            table.num_rows,
            (columns.question, columns.context),
            columns.answers,
            tuple(notes),
            values_fingerprint((rows.split, rows.values) for rows in given),
        )

    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        table = unnested(table)
        columns = questions_of(table, options.text_columns, options.label_column)
        return self._examples(read_questions(split, table, columns))

    def _examples(self, rows: QuestionRows) -> Examples:
        notes = (*rows.notes, *notes_on(rows, none=self.null_threshold is not None))
        texts: list[tuple[str, ...]] = [(context,) for context in rows.contexts]
        pairs = list(zip(rows.questions, rows.contexts, strict=True))
        return Examples(texts, labels_of(rows), pairs, notes)

    # Rows

    def encode(self, inputs: Sequence[Any], tokenizer: Any, max_length: int) -> Encoded:
        serving = tokenizer.backend_tokenizer
        serving.no_padding()
        serving.enable_truncation(max_length)
        serving.encode_special_tokens = bool(tokenizer.split_special_tokens)
        segments = "token_type_ids" in tokenizer.model_input_names
        rows, num_cut = encode_windows(inputs, serving, segments=segments)
        notes = []
        if len(rows) > len(inputs):
            notes.append(f"{len(inputs):,} questions in {len(rows):,} windows of up to {max_length} tokens")
        if num_cut:
            notes.append(f"{num_cut:,} questions were cut to half of {max_length} tokens")
        return Encoded(rows, 0, "; ".join(notes))

    def read_texts(
        self, texts: Sequence[tuple[str, ...]], inputs: Sequence[Any]
    ) -> Sequence[tuple[str, ...]]:
        return inputs

    def encode_served(self, inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> list[Row]:
        return encode_windows(inputs, tokenizer, segments=segments).rows

    def targets(self, rows: Sequence[Row], labels: Array, width: int) -> Array:
        """(batch, width) of `qa_windows.marks`, for the first answer of each question."""
        found = np.full((len(rows), width), IGNORED, dtype=np.int64)
        for target, row, (start, end) in zip(found, rows, labels[:, 0, :WORDS], strict=True):
            own = marks(row, start, end)
            target[: len(own)] = own
        return found

    # Learning

    def compared(self, said: Any, targets: Any) -> tuple[Any, Any]:
        """Of each window the tokens as classes: first its start, then its end."""
        sides = targets.new_tensor([FIRST, LAST]).unsqueeze(1)
        true = (targets.clamp_min(0).unsqueeze(1) & sides).argmax(-1)
        logits = said.transpose(1, 2).masked_fill((targets == IGNORED).unsqueeze(1), _HIDDEN)
        return logits.flatten(0, 1), true.flatten()

    # Judging

    @property
    def is_chosen(self) -> bool:
        return self.null_threshold is not None

    def predictions(self, logits: Array, rows: Sequence[Row]) -> Array:
        return best_answers(logits, rows, none=self.null_threshold is not None)

    def fitted(self, predictions: Array, labels: Array) -> Self:
        if self.null_threshold is None:
            return self
        answered = self._of_each(replace(self, null_threshold=None).answers(predictions), labels)
        unanswered = self._of_each(np.full((len(labels), 1, 0), IGNORED), labels)
        return replace(self, null_threshold=best_threshold(predictions[:, MARGIN], answered, unanswered))

    def answers(self, predictions: Array) -> Array:
        if not np.isfinite(predictions).all():
            raise DataError(
                f"{self.metric_name} cannot be computed: predictions hold values that are not finite. If "
                "training diverged, give a lower --learning-rate."
            )
        found = predictions[:, SPAN:].astype(np.int64)
        return np.where(self._is_none(predictions)[:, None], IGNORED, found)[:, None]

    def score_answers(self, answers: Array, labels: Array) -> float:
        return float(self._of_each(answers, labels).mean())

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        return share(counts @ self._of_each(answers, labels), counts.sum(1))

    def prior(self, train_labels: Array, labels: Array) -> float:
        """Of no answer, where a model may give none; else 0."""
        return 0.0 if self.null_threshold is None else float((~has_answer(labels)).mean())

    def strata(self, labels: Array) -> npt.NDArray[np.int64]:
        """Whether a question has an answer."""
        return np.unique(has_answer(labels), return_inverse=True)[1].astype(np.int64)

    def mistaken(self, labels: Array, others: Array) -> Array:
        return wrong_answers(labels)

    def describe(self, labels: Array) -> str:
        without = int((~has_answer(labels)).sum())
        return f"answers to {len(labels) - without:,} questions, none to {without:,}"

    def resolution(self, rows: int) -> str:
        return f"one question in {rows} can move the metric by about {100 / rows:.1f} points"

    def correctness(self, answers: Array, labels: Array) -> npt.NDArray[np.float64]:
        return np.asarray(exact_match(answers[:, 0, WORDS:], labels[..., WORDS:]))

    def groups(self, answers: Array, labels: Array) -> Mapping[str, tuple[float, int]]:
        """Questions with an answer and those without one, where there may be any."""
        scores, answered = f1(answers[:, 0, WORDS:], labels[..., WORDS:]), has_answer(labels)
        sides = {} if self.null_threshold is None else {"has an answer": answered, "has none": ~answered}
        return {
            name: (float(scores[held].mean()), int(held.sum())) for name, held in sides.items() if held.any()
        }

    def worded(self, unit: int, answers: Array, inputs: Sequence[Any]) -> tuple[str, Sequence[str]]:
        question, context = question_of(unit, inputs[unit])
        spans = answers[unit, :, :WORDS].tolist()
        found = dict.fromkeys(context[start:end] for start, end in spans if start >= 0)
        return question, list(found) or ["no answer"]

    def _of_each(self, answers: Array, labels: Array) -> Array:
        """(questions,) the metric of each."""
        return METRICS[self.metric_name](answers[:, 0, WORDS:], labels[..., WORDS:])

    def _is_none(self, predictions: Array) -> Array:
        return predictions[:, MARGIN] > (np.inf if self.null_threshold is None else self.null_threshold)

    # Serving

    def decode(self, predictions: Array, rows: Sequence[Row], inputs: Sequence[Any]) -> list[dict[str, Any]]:
        """Of each question its answer, where it stands in the context, and the probability."""
        spans, found = self.answers(predictions)[:, 0, :WORDS], []
        for (start, end), said, value in zip(spans.tolist(), predictions, inputs, strict=True):
            start, end, column = (0, 0, OF_NONE) if start < 0 else (start, end, PROBABILITY)
            answer = question_of(0, value)[1][start:end]
            found.append({"answer": answer, "score": float(said[column]), "start": start, "end": end})
        return found


TASK = QuestionAnswering
