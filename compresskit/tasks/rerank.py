"""Reranking: a score for each pair of a query and a passage, by which a query's passages are ordered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.fingerprint import values_fingerprint
from compresskit.data.ranked import RankedRows, find_layout, has_relevance, layout_of, read_ranked, unfolded
from compresskit.data.sources import Source
from compresskit.data.table import Table
from compresskit.errors import ConfigurationError, DataError, one_of, some
from compresskit.inputs import Row
from compresskit.tasks.base import Reading
from compresskit.tasks.examples import Array, DataOptions, Encoded, Examples
from compresskit.tasks.held_out import tested_split
from compresskit.tasks.ranked import GAIN, QUERY_INPUT, RELEVANT, TO_DENSE, Ranked, first_of_each, varied
from compresskit.tasks.ranking import RANKING
from compresskit.tasks.text import TextInputs
from compresskit.tasks.wording import OTHER, Wording

# Passages that are cut are ranked by their beginnings, and models of thousands of tokens take long to train.
_LONGEST = 512


@dataclass(frozen=True)
class Rerank(Ranked, TextInputs):
    """Labels are those of `Ranked`; logits are (rows, 1), log-odds of relevance.

    `taught`: there are no labels; the dense model's ranking stands for them.
    """

    name = "rerank"
    metrics = (*RANKING, *(TO_DENSE + name for name in RANKING))
    problem_types = (*TextInputs.problem_types, "multi_label_classification")
    has_layout = True
    is_ranking = True
    example = '("a query", "a passage")'
    wording = Wording(
        "queries",
        right="Where no passage is relevant, all are as relevant.",
        worse="a less relevant passage first",
        better="a more relevant passage first",
        other="another passage first, as relevant",
        levels=((-1.0, "another passage first", OTHER),),
    )

    taught: bool = False

    @property
    def is_taught(self) -> bool:
        return self.taught

    @property
    def num_labels(self) -> int:
        return 1

    # Reading

    @classmethod
    def fits(cls, table: Table, options: DataOptions) -> bool:
        """A query with lists of passages, or pairs of which most queries have several."""
        table = unfolded(table)
        layout = find_layout(table, options.text_columns, options.label_column)
        head = cls.head(options)
        if layout is None or (head is not None and len(head) != 1):
            return False
        queries, name = table.columns[layout.query], layout.query.strip().lower()
        if layout.negatives or table.kind(layout.passages[0]) == "lists":
            return name in ("query", "question")
        numbers = layout.labels is None or table.kind(layout.labels) in ("whole numbers", "booleans")
        return name == "query" and numbers and 2 * len(set(queries)) <= len(queries)

    @classmethod
    def is_labelled(cls, table: Table, options: DataOptions, train: Callable[[], Table | None]) -> bool:
        """Whether a split has labels; where training has none, no split is asked for any."""
        if _is_labelled(table, options):
            return True
        known = train()
        return known is not None and not _is_labelled(known, options)

    @classmethod
    def read(cls, source: Source, options: DataOptions) -> Reading:
        table = unfolded(source.splits["train"])
        layout = layout_of(table, options.text_columns, options.label_column)
        labelled, head = has_relevance(table, layout), cls.head(options)
        if head is not None and len(head) != 1:
            raise ConfigurationError(
                f"the checkpoint's head has {len(head)} outputs ({some(head)}); a reranker's has one, the "
                "score. Give a cross-encoder with num_labels 1, or an encoder without a head."
            )
        if not labelled and head is None:
            raise ConfigurationError(
                f"the data have no labels ({', '.join(table.names)}), and the model has no trained head, "
                "whose scores could stand for them. Name the labels with --label-column, or give a "
                "cross-encoder."
            )
        metric_name = _metric(options.metric, labelled)
        train = read_ranked("train", table, layout, labelled=labelled)
        tested, notes = tested_split(cls, source, options)
        test = None
        if tested is not None:
            test = read_ranked(tested[0], unfolded(tested[1]), layout, labelled=labelled)
        given = [train] if test is None else [train, test]
        if not labelled:
            notes.append(f"no labels: {metric_name} compares rankings with those of the dense model")
        notes += filter(None, [rows.note for rows in given])
        kind = cls((), metric_name, not labelled)
        most = max(train.relevance or [1.0])
        if most == 0:
            raise DataError(f"no passage of the train split is relevant: all labels ({layout.labels}) are 0.")
        examples = [kind._examples(rows, most) for rows in given]
        return Reading(
            kind,
            examples[0],
            examples[1] if len(examples) > 1 else None,
            len(train),
            layout.columns[:2],
            layout.labels or "",
            tuple(notes),
            values_fingerprint((rows.split, list(rows.values())) for rows in given),
        )

    def read_test(self, table: Table, split: str, source: str, options: DataOptions) -> Examples:
        table = unfolded(table)
        layout = layout_of(table, options.text_columns, options.label_column)
        if not has_relevance(table, layout):
            raise DataError(f"{source} has no labels of relevance; name their column with --label-column.")
        rows = read_ranked(split, table, layout, labelled=True)
        known = replace(self, metric_name=self.metric_name.removeprefix(TO_DENSE), taught=False)
        found = known._examples(rows, max(rows.relevance or [1.0]) or 1.0)
        notes = filter(None, [rows.note, known.absent(split, found.labels)])
        return replace(found, notes=tuple(notes), judge=known)

    def _examples(self, rows: RankedRows, most: float) -> Examples:
        gains = np.zeros(len(rows)) if rows.relevance is None else np.asarray(rows.relevance) / most
        queries = [_number(query) for query, _ in rows.pairs]
        return Examples(
            [(query,) for query, _ in rows.pairs],
            np.column_stack([queries, gains, gains, gains > 0]),
            rows.pairs,
        )

    # Rows

    def usual_length(self, tokenizer: Any) -> int:
        return min(int(tokenizer.model_max_length), _LONGEST)

    def encode(self, inputs: Sequence[Any], tokenizer: Any, max_length: int) -> Encoded:
        found = super().encode(inputs, tokenizer, max_length)
        return replace(found, rows=_with_queries(found.rows, inputs))

    def encode_served(self, inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> list[Row]:
        for number, pair in enumerate(inputs):
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise DataError(f"inputs[{number}] is {pair!r:.60}; permitted: a (query, passage) pair.")
        return _with_queries(super().encode_served(inputs, tokenizer, segments=segments), inputs)

    # Learning

    def targets(self, rows: Sequence[Row], labels: Array, width: int) -> Array:
        return labels[:, GAIN]

    def compared(self, said: Any, targets: Any) -> tuple[Any, Any]:
        """Relevance is a choice of two, of logits 0 and z, so its cross-entropy is that of a sigmoid of z.

        A graded label is a probability: its share of the highest grade.
        """
        relevant = targets[:, None] * targets.new_tensor([-1.0, 1.0])
        return said * said.new_tensor([0.0, 1.0]), targets.new_tensor([1.0, 0.0]) + relevant

    # Judging and splitting

    def correctness(self, answers: Array, labels: Array) -> npt.NDArray[np.float64]:
        """Of each query the gain of its first passage; 1 where all passages have one gain."""
        return np.where(varied(labels)[0], labels[first_of_each(answers), GAIN], 1.0)

    def worded(self, unit: int, answers: Array, inputs: Sequence[Any]) -> tuple[str, Sequence[str]]:
        query, passage = inputs[first_of_each(answers)[unit]]
        return query, [passage]

    def strata(self, labels: Array) -> npt.NDArray[np.int64]:
        """Rows of queries that are scored, and others; all are one where nothing is known."""
        scored, member = varied(labels)
        return np.unique(scored[member], return_inverse=True)[1].astype(np.int64)

    def absent(self, name: str, labels: Array) -> str | None:
        """How many queries are not scored. DataError where none is."""
        scored, member = varied(labels)
        if self.taught:
            scored = np.bincount(member) > 1
        left = int((~scored).sum())
        if name == "training" or not left:
            return None
        if not scored.any():
            raise DataError(
                f"no query of the {name} split can be scored: it takes two passages or more"
                f"{'' if self.taught else ', one of them relevant and another less so'}. Give more of them."
            )
        lack = "one passage alone" if self.taught else "no relevant passage, or no other"
        return f"{left:,} of {len(scored):,} {name} queries have {lack}: they are not scored"

    def describe(self, labels: Array) -> str:
        if self.taught:
            return "none: the dense model's scores stand for them"
        relevant = int(labels[:, RELEVANT].sum())
        return f"{relevant:,} of {len(labels):,} passages are relevant"

    def resolution(self, rows: int) -> str:
        return f"one query in {rows} can move the metric by up to {100 / rows:.1f} points"

    # Serving

    def decode(self, predictions: Array, rows: Sequence[Row], inputs: Sequence[Any]) -> list[float]:
        """A score of each pair: the logit. Of a query the highest is the most relevant."""
        return [float(logit) for logit in predictions[:, 1]]


def _is_labelled(table: Table, options: DataOptions) -> bool:
    table = unfolded(table)
    layout = find_layout(table, options.text_columns, options.label_column)
    if layout is None:
        layout = layout_of(table, options.text_columns, options.label_column)
    return has_relevance(table, layout)


def _metric(given: str | None, labelled: bool) -> str:
    """ConfigurationError for one that is not known, or whose reference is not there."""
    permitted = {name: name if labelled else TO_DENSE + name for name in RANKING}
    permitted |= {} if labelled else {name: name for name in permitted.values()}
    if given is not None and given not in permitted:
        raise ConfigurationError(one_of("metric of rankings", given, permitted))
    return permitted[given or next(iter(RANKING))]


def _with_queries(rows: Sequence[Row], inputs: Sequence[Any]) -> list[Row]:
    return [{**row, QUERY_INPUT: [_number(query)]} for row, (query, _) in zip(rows, inputs, strict=True)]


def _number(query: str) -> int:
    """The same wherever a query is read; a float holds it exactly."""
    return int.from_bytes(blake2b(query.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big")


TASK = Rerank
