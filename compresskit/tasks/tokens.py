"""Token classification: a tag for each word of a text, and the entities that tags make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.fingerprint import values_fingerprint
from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.data.tagged import Layout, TaggedRows, check_types, find_layout, read_tagged, spans_in
from compresskit.data.text_spans import flattened
from compresskit.entities.counting import IGNORED, TagSet, constant_tag, entity_counts, entity_f1
from compresskit.entities.pieces import (
    Entity,
    entities_of,
    first_pieces,
    piece_tags,
    pieces_at,
    prefix_spaces,
    word_logits,
)
from compresskit.entities.words import TEXT, WORDS
from compresskit.errors import ConfigurationError, DataError, one_of, some
from compresskit.inputs import Row
from compresskit.tasks.base import Array, DataOptions, Encoded, Examples, Reading, TaskKind
from compresskit.tasks.held_out import test_table

_ROWS_AT_ONCE = 2_000  # a tokenizer's answers take fifty times the memory of the ids in them
_STRICT = "entity_f1_strict"


@dataclass(frozen=True)
class Tokens(TaskKind):
    """Labels are IOB2 tags of words, (rows, words); logits are (rows, pieces, tags).

    Predictions are logits of words. `rule`: how a raw text is divided into words (see `entities.words`).
    """

    name = "tokens"
    hub_task = "token-classification"
    metrics = ("entity_f1", _STRICT)

    rule: str = WORDS

    @cached_property
    def tag_set(self) -> TagSet:
        return TagSet(self.labels)

    # Reading

    @classmethod
    def fits(cls, table: Table, options: DataOptions) -> bool:
        return find_layout(flattened(table), options.text_columns, options.label_column) is not None

    @classmethod
    def is_labelled(cls, table: Table, options: DataOptions, train: Callable[[], Table | None]) -> bool:
        """False where no row has tags, or all tags are -1, the hub's mark of a split without labels."""
        layout = find_layout(flattened(table), options.text_columns, options.label_column)
        values = [] if layout is None else flattened(table).columns[layout.labels]
        return any(tags is not None and {*map(str, tags)} != {"-1"} for tags in values)

    @classmethod
    def read(cls, source: Source, options: DataOptions) -> Reading:
        metric_name = options.metric or cls.metrics[0]
        if metric_name not in cls.metrics:
            raise ConfigurationError(one_of("token classification metric", metric_name, cls.metrics))
        table = flattened(source.splits["train"])
        layout = _layout(table, options)
        head = cls.head(options)
        names = [] if head is None else sorted(head, key=head.__getitem__)
        train = read_tagged("train", table, layout, names)
        tested, notes = test_table(cls, source, options)
        test = None if tested is None else read_tagged(tested[0], flattened(tested[1]), layout, names)
        types = sorted(train.types)
        if not types:
            raise DataError(
                f"no row of the train split has an entity: every tag of column {layout.labels!r} is O. Name "
                "another column with --label-column, or give rows with entities."
            )
        given = [rows for rows in (train, test) if rows is not None]
        for rows in given:
            check_types(rows, types)
            notes += _notes(rows)
        labels = TagSet.of_types(types).names if head is None else _fitted(names, types)
        kind = cls(labels, metric_name, train.rule)
        return Reading(
            kind,
            kind._examples(train),
            None if test is None else kind._examples(test),
            table.num_rows,
            (layout.text,),
            layout.labels,
            tuple(notes),
            values_fingerprint((rows.split, [*_values(rows)]) for rows in given),
        )

    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        table = flattened(table)
        rows = read_tagged(split, table, _layout(table, options), self.labels)
        check_types(rows, self.tag_set.types)
        return self._examples(rows, tuple(_notes(rows)))

    def _examples(self, rows: TaggedRows, notes: tuple[str, ...] = ()) -> Examples:
        joined = [(text if isinstance(text, str) else " ".join(text),) for text in rows.texts]
        inputs: list[Any] = list(rows.texts)
        if rows.rule == TEXT != self.rule:
            inputs = [tuple(text[a:b] for a, b in spans_in(text, TEXT)) for (text,) in joined]
        return Examples(joined, self.tag_set.ids(rows.tags), inputs, notes)

    # Rows

    def encode(self, inputs: Sequence[Any], tokenizer: Any, max_length: int) -> Encoded:
        serving = tokenizer.backend_tokenizer
        serving.no_padding()
        serving.enable_truncation(max_length, strategy="longest_first", direction=tokenizer.truncation_side)
        serving.encode_special_tokens = bool(tokenizer.split_special_tokens)
        rows = self.encode_served(inputs, serving, segments="token_type_ids" in tokenizer.model_input_names)
        return Encoded(rows, sum(row["is_cut"] for row in rows))

    def encode_served(self, inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> list[Row]:
        if isinstance(inputs, str):
            raise DataError("texts is one string; give a list of texts, or of lists of words.")
        for number, value in enumerate(inputs):
            if not isinstance(value, str) and not _is_words(value):
                raise DataError(f"texts[{number}] is {value!r:.60}; permitted: a text, or a list of words.")
        if self.rule != TEXT:
            prefix_spaces(tokenizer)
        rows: list[Row] = []
        for start in range(0, len(inputs), _ROWS_AT_ONCE):
            part = inputs[start : start + _ROWS_AT_ONCE]
            spans = [spans_in(value if isinstance(value, str) else tuple(value), self.rule) for value in part]
            texts = [_text(value) for value in part]
            if self.rule == TEXT:
                found = tokenizer.encode_batch(texts)
                places = [pieces_at(item.offsets, words) for item, words in zip(found, spans, strict=True)]
            else:
                words_of = [[text[a:b] for a, b in words] for text, words in zip(texts, spans, strict=True)]
                found = tokenizer.encode_batch(words_of, is_pretokenized=True)
                places = [first_pieces(item.word_ids, len(w)) for item, w in zip(found, spans, strict=True)]
            for item, first, words in zip(found, places, spans, strict=True):
                row = {"input_ids": item.ids} | ({"token_type_ids": item.type_ids} if segments else {})
                rows.append(row | {"first_pieces": first, "spans": words, "is_cut": bool(item.overflowing)})
        return rows

    def targets(self, rows: Sequence[Row], labels: Array, width: int) -> Array:
        found = np.full((len(rows), width), IGNORED, dtype=np.int64)
        for target, row, tags in zip(found, rows, labels, strict=True):
            first = row["first_pieces"]
            target[: len(row["input_ids"])] = piece_tags(first, tags[: len(first)], len(row["input_ids"]))
        return found

    # Learning

    def compared(self, output: Any, targets: Any) -> tuple[Any, Any]:
        counted = targets != IGNORED
        return output.logits[counted], targets[counted]

    # Judging

    def predictions(self, logits: Array, rows: Sequence[Row]) -> Array:
        return word_logits(logits, [row["first_pieces"] for row in rows], self.tag_set)

    def answers(self, predictions: Array) -> Array:
        absent = np.isnan(predictions).all(-1)
        if absent[:, :1].any() or not np.isfinite(predictions[~absent]).all():
            raise DataError(
                f"{self.metric_name} cannot be computed: predictions hold values that are not finite. If "
                "training diverged, give a lower --learning-rate."
            )
        return np.where(absent, IGNORED, np.nan_to_num(predictions).argmax(-1))

    def score_answers(self, answers: Array, labels: Array) -> float:
        return float(entity_f1(self._counts(answers, labels).sum(0)))

    def prior(self, train_labels: Array, labels: Array) -> float:
        best = constant_tag(train_labels, self.tag_set, strict=self.metric_name == _STRICT)
        return self.score_answers(np.where(labels == IGNORED, IGNORED, best), labels)

    def strata(self, labels: Array) -> npt.NDArray[np.int64]:
        """The type of a row's entities that is rarest in all rows; rows without entities are one more."""
        held = self._held(labels)
        rank = np.argsort(np.argsort(held.sum(0), kind="stable"), kind="stable")
        rarest = np.where(held, rank, held.shape[1]).min(1)
        return np.unique(rarest, return_inverse=True)[1].astype(np.int64)

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        return np.asarray(entity_f1(counts @ self._counts(answers, labels)))

    def mistaken(self, labels: Array, others: Array) -> Array:
        """Every entity is missed; where there is none, the first word is said to be one."""
        wrong = np.where(labels == IGNORED, IGNORED, self.tag_set.outside)
        without = ~self._held(labels).any(1)
        wrong[without, 0] = int(np.flatnonzero(self.tag_set.begins)[0])
        return wrong

    def class_pairs(self, answers: Array, labels: Array) -> tuple[Array, Array]:
        said, true = _alike(answers, labels)
        counted = true != IGNORED
        return np.where(said == IGNORED, self.tag_set.outside, said)[counted], true[counted]

    def absent(self, name: str, labels: Array) -> str | None:
        absent = [
            kind for kind, held in zip(self.tag_set.types, self._held(labels).any(0), strict=True) if not held
        ]
        if not absent:
            return None
        return f"types without a {name} entity: {len(absent)} of {len(self.tag_set.types)} ({some(absent)})"

    def resolution(self, rows: int) -> str:
        return f"one row in {rows} can move entity F1 by about {100 / rows:.1f} points"

    def _counts(self, answers: Array, labels: Array) -> npt.NDArray[np.int64]:
        said, true = _alike(answers, labels)
        return entity_counts(true, said, self.tag_set, strict=self.metric_name == _STRICT)

    def _held(self, labels: Array) -> npt.NDArray[np.bool_]:
        """(rows, types) whether a row has an entity of the type."""
        kinds = self.tag_set.kinds[np.maximum(labels, -1)]
        return np.stack([(kinds == kind).any(1) for kind in range(len(self.tag_set.types))], axis=1)

    # Serving

    def decode(self, predictions: Array, rows: Sequence[Row], inputs: Sequence[Any]) -> list[list[Entity]]:
        return [
            entities_of(logits[: len(row["spans"])], row["spans"], _text(value), self.tag_set)
            for logits, row, value in zip(predictions, rows, inputs, strict=True)
        ]


def _layout(table: Table, options: DataOptions) -> Layout:
    found = find_layout(table, options.text_columns, options.label_column)
    if found is None:
        held = ", ".join(f"{name} ({table.kind(name)})" for name in table.names)
        raise DataError(
            f"no words with tags found; columns present: {held}. Token classification needs lists of words and "
            "of as many tags (such as tokens and ner_tags), or texts with a list of labelled spans. Name them "
            "with --text-column and --label-column."
        )
    return found


def _fitted(names: Sequence[str], types: Sequence[str]) -> tuple[str, ...]:
    """The tags of a checkpoint's head; DataError where they are not IOB2 tags of all `types`."""
    needed = set(TagSet.of_types(types).names)
    if not needed <= set(names) or not all(name == "O" or name[:2] in ("B-", "I-") for name in names):
        raise DataError(
            f"entity types {some(types)} need the tags {some(sorted(needed))}, but the head of the checkpoint has "
            f"{some(names)}; rename the types to its own, or give a checkpoint that is not fine-tuned."
        )
    return tuple(names)


def _notes(rows: TaggedRows) -> Iterator[str]:
    if rows.scheme is not None and (note := rows.scheme.note(rows.split)):
        yield note
    if rows.num_missing:
        yield (
            f"{rows.num_missing:,} of {rows.num_missing + len(rows):,} rows of the {rows.split} split lack words "
            "or tags and were dropped"
        )


def _values(rows: TaggedRows) -> Iterator[tuple[str, ...]]:
    for text, tags in zip(rows.texts, rows.tags, strict=True):
        yield ((text,) if isinstance(text, str) else text) + tuple(tags)


def _is_words(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(value)


def _alike(answers: Array, labels: Array) -> tuple[Array, Array]:
    """Both (rows, words), with IGNORED behind the narrower one's."""
    width = max(answers.shape[1], labels.shape[1])
    first, second = (
        np.pad(each, ((0, 0), (0, width - each.shape[1])), constant_values=IGNORED)
        for each in (answers, labels)
    )
    return first, second


TASK = Tokens
