"""Token classification: a tag for each word of a text, and the entities that tags make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.fingerprint import values_fingerprint
from compresskit.data.sources import Source
from compresskit.data.strata import rarest_held
from compresskit.data.table import Table
from compresskit.data.tagged import TaggedRows, check_types, find_layout, layout_of, read_tagged
from compresskit.data.text_spans import flattened
from compresskit.entities.counting import (
    IGNORED,
    TagSet,
    alike,
    constant_tag,
    entity_counts,
    entity_f1,
    f1_by_type,
    find_chunks,
)
from compresskit.entities.encoding import encode_rows
from compresskit.entities.pieces import Entity, entities_of, piece_tags, word_logits
from compresskit.entities.words import TEXT, WORDS, joined, spans_in
from compresskit.errors import ConfigurationError, DataError, one_of, some
from compresskit.inputs import Row
from compresskit.tasks.base import Reading, TaskKind
from compresskit.tasks.examples import Array, DataOptions, Encoded, Examples
from compresskit.tasks.held_out import tested_split
from compresskit.tasks.wording import Wording

_STRICT = "entity_f1_strict"


@dataclass(frozen=True)
class Tokens(TaskKind):
    """Labels are IOB2 tags of words, (rows, words); logits are (rows, pieces, tags).

    Predictions are logits of words. `rule`: how a raw text is divided into words (see `entities.words`).
    """

    name = "tokens"
    hub_task = "token-classification"
    metrics = ("entity_f1", _STRICT)
    has_layout = True
    wording = Wording(
        right="An answer is right with all entities of its text and no other.", group="entity type"
    )

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
        layout = layout_of(table, options.text_columns, options.label_column)
        head = cls.head(options)
        names = [] if head is None else sorted(head, key=head.__getitem__)
        train = read_tagged("train", table, layout, names)
        tested, notes = tested_split(cls, source, options)
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
            notes += rows.notes
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
            values_fingerprint((rows.split, rows.values) for rows in given),
        )

    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        table = flattened(table)
        layout = layout_of(table, options.text_columns, options.label_column)
        rows = read_tagged(split, table, layout, self.labels)
        check_types(rows, self.tag_set.types)
        return self._examples(rows, tuple(rows.notes))

    def _examples(self, rows: TaggedRows, notes: tuple[str, ...] = ()) -> Examples:
        texts: list[tuple[str, ...]] = [(joined(text),) for text in rows.texts]
        inputs: list[Any] = list(rows.texts)
        if rows.rule == TEXT != self.rule:
            inputs = [tuple(text[a:b] for a, b in spans_in(text, TEXT)) for text, *_ in texts]
        return Examples(texts, self.tag_set.ids(rows.tags), inputs, notes)

    # Rows

    def encode(self, inputs: Sequence[Any], tokenizer: Any, max_length: int) -> Encoded:
        serving = tokenizer.backend_tokenizer
        serving.no_padding()
        serving.enable_truncation(max_length, strategy="longest_first", direction=tokenizer.truncation_side)
        serving.encode_special_tokens = bool(tokenizer.split_special_tokens)
        segments = "token_type_ids" in tokenizer.model_input_names
        return Encoded(*encode_rows(inputs, serving, self.rule, segments=segments))

    def encode_served(self, inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> list[Row]:
        return encode_rows(inputs, tokenizer, self.rule, segments=segments)[0]

    def targets(self, rows: Sequence[Row], labels: Array, width: int) -> Array:
        found = np.full((len(rows), width), IGNORED, dtype=np.int64)
        for target, row, tags in zip(found, rows, labels, strict=True):
            first = row["first_pieces"]
            target[: len(row["input_ids"])] = piece_tags(first, tags[: len(first)], len(row["input_ids"]))
        return found

    # Learning

    def compared(self, said: Any, targets: Any) -> tuple[Any, Any]:
        counted = targets != IGNORED
        return said[counted], targets[counted]

    # Judging

    def predictions(self, logits: Array, rows: Sequence[Row]) -> Array:
        return word_logits(logits, [row["first_pieces"] for row in rows], self.tag_set)

    def answers(self, predictions: Array) -> Array:
        absent = np.isnan(predictions[..., 0])
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
        return rarest_held(self._held(labels))

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        return np.asarray(entity_f1(counts @ self._counts(answers, labels)))

    def mistaken(self, labels: Array, others: Array) -> Array:
        """Every entity is missed; where there is none, the first word is said to be one."""
        wrong = np.where(labels == IGNORED, IGNORED, self.tag_set.outside)
        without = ~self._held(labels).any(1)
        wrong[without, 0] = int(np.flatnonzero(self.tag_set.begins)[0])
        return wrong

    def class_pairs(self, answers: Array, labels: Array) -> tuple[Array, Array]:
        said, true = alike(answers, labels)
        counted = true != IGNORED
        return np.where(said == IGNORED, self.tag_set.outside, said)[counted], true[counted]

    def absent(self, name: str, labels: Array) -> str | None:
        counts = self._held(labels).sum(axis=0)
        absent = [kind for number, kind in enumerate(self.tag_set.types) if not counts[number]]
        if not absent:
            return None
        return f"types without a {name} entity: {len(absent)} of {len(self.tag_set.types)} ({some(absent)})"

    def resolution(self, rows: int) -> str:
        return f"one row in {rows} can move entity F1 by about {100 / rows:.1f} points"

    def correctness(self, answers: Array, labels: Array) -> npt.NDArray[np.float64]:
        right, said, there = self._counts(answers, labels).T
        return np.asarray((right == said) & (right == there), dtype=np.float64)

    def groups(self, answers: Array, labels: Array) -> Mapping[str, tuple[float, int]]:
        said, true = alike(answers, labels)
        return f1_by_type(true, said, self.tag_set, strict=self.metric_name == _STRICT)

    def worded(self, unit: int, answers: Array, inputs: Sequence[Any]) -> tuple[str, Sequence[str]]:
        text, spans = joined(inputs[unit]), spans_in(inputs[unit], self.rule)
        found = find_chunks(answers[unit : unit + 1], self.tag_set)
        ends = zip(found.start, found.end, found.kind, strict=True)
        said = [(text[spans[a][0] : spans[b - 1][1]], self.tag_set.types[kind]) for a, b, kind in ends]
        return text, [f"{words} ({kind})" for words, kind in said] or ["no entity"]

    def _counts(self, answers: Array, labels: Array) -> npt.NDArray[np.int64]:
        said, true = alike(answers, labels)
        return entity_counts(true, said, self.tag_set, strict=self.metric_name == _STRICT)

    def _held(self, labels: Array) -> npt.NDArray[np.bool_]:
        """(rows, types) whether a row has an entity of the type."""
        kinds = self.tag_set.kinds[np.maximum(labels, -1)]
        held: npt.NDArray[np.bool_] = np.zeros((len(labels), len(self.tag_set.types) + 1), dtype=np.bool_)
        held[np.arange(len(labels))[:, None], kinds] = True
        return held[:, :-1]

    # Serving

    def decode(self, predictions: Array, rows: Sequence[Row], inputs: Sequence[Any]) -> list[list[Entity]]:
        return [
            entities_of(logits[: len(row["spans"])], row["spans"], joined(value), self.tag_set)
            for logits, row, value in zip(predictions, rows, inputs, strict=True)
        ]


def _fitted(names: Sequence[str], types: Sequence[str]) -> tuple[str, ...]:
    """The tags of a checkpoint's head; DataError where they are not IOB2 tags of all `types`."""
    needed = set(TagSet.of_types(types).names)
    if not needed <= set(names) or not all(name == "O" or name[:2] in ("B-", "I-") for name in names):
        raise DataError(
            f"entity types {some(types)} need the tags {some(sorted(needed))}, but the checkpoint's head "
            f"has {some(names)}; rename the types to its own, or give a checkpoint that is not fine-tuned."
        )
    return tuple(names)


TASK = Tokens
