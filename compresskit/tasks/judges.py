"""What judges vectors beside agreement: scored pairs of texts, and queries with relevant documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from compresskit.data.columns import find_label_column, find_text_columns
from compresskit.data.label_values import label_number
from compresskit.data.retrieval import read_retrieval
from compresskit.data.rows import missing_note, read_rows
from compresskit.data.table import Table
from compresskit.errors import DataError
from compresskit.inputs import Row
from compresskit.tasks.agreement import directions
from compresskit.tasks.examples import Array, DataOptions, Examples
from compresskit.tasks.judge import Judge
from compresskit.tasks.metrics import metric
from compresskit.tasks.ranking import CUTOFF, RANKING
from compresskit.tasks.weighted import weighted_metric

SPEARMAN, NDCG = "spearman", f"ndcg@{CUTOFF}"


@dataclass(frozen=True)
class Pairs(Judge):
    """Spearman's correlation of cosines with scores (Cer et al. 2017, arXiv 1708.00055).

    `Examples.inputs` are both texts of a pair, one after the other; `Examples.labels` its score, (pairs,).
    """

    is_regression = True

    def predictions(self, logits: Array, rows: Sequence[Row]) -> Array:
        vectors = directions(logits).reshape(-1, 2, logits.shape[-1])
        return np.asarray(vectors.prod(1).sum(-1))

    def answers(self, predictions: Array) -> Array:
        return _finite(predictions)

    def score_answers(self, answers: Array, labels: Array) -> float:
        return float(metric(SPEARMAN)(answers, labels))

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        return weighted_metric(SPEARMAN, answers, labels, counts, 1)

    def prior(self, train_labels: Array, labels: Array) -> float:
        return 0.0


@dataclass(frozen=True)
class Retrieves(Judge):
    """nDCG@10 of documents in the order of their cosines with a query, see `tasks.ranking`.

    `Examples.inputs` are all queries, then all documents; `Examples.labels` the relevance of each document to
    each query, (queries, documents).
    """

    is_regression = True

    num_queries: int = 0

    def predictions(self, logits: Array, rows: Sequence[Row]) -> Array:
        vectors = directions(logits)
        return np.asarray(vectors[: self.num_queries] @ vectors[self.num_queries :].T)

    def answers(self, predictions: Array) -> Array:
        return _finite(predictions)

    def score_answers(self, answers: Array, labels: Array) -> float:
        return float(RANKING[NDCG](answers, labels).mean())

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        return np.asarray(counts @ RANKING[NDCG](answers, labels) / counts.sum(1))

    def prior(self, train_labels: Array, labels: Array) -> float:
        return self.score_answers(np.zeros_like(labels), labels)


def read_pairs(table: Table, split: str, source: str, options: DataOptions) -> Examples:
    """DataError unless each row has two texts and a number."""
    label = find_label_column(table, options.label_column)
    columns = find_text_columns(table, label, options.text_columns or None)
    if len(columns) != 2:
        raise DataError(
            f"{source} has one column of texts ({columns[0]}); vectors are judged by pairs of texts with a "
            "score. Name both with --text-column."
        )
    rows = read_rows(split, table, columns, label)
    scores = [value for each in rows.labels if (value := label_number(each)) is not None]
    if len(scores) < len(rows):
        raise DataError(f"{source}: column {label!r} holds no numbers; pairs need scores.")
    if len(set(scores)) < 2:
        raise DataError(f"{source}: all scores in {label!r} are equal; nothing can be told by them.")
    notes = tuple(filter(None, [missing_note(rows)]))
    inputs = [text for pair in rows.texts for text in pair]
    return Examples(rows.texts, np.array(scores), inputs, notes, judge=Pairs((), SPEARMAN))


def read_search(folder: Path) -> Examples | None:
    """Of a folder with a corpus, queries and their relevant documents; None for another."""
    found = read_retrieval(folder)
    if found is None:
        return None
    kind = Retrieves((), NDCG, num_queries=len(found.queries))
    texts: list[tuple[str, ...]] = [(query,) for query in found.queries]
    return Examples(texts, found.relevance, [*found.queries, *found.documents], found.notes, judge=kind)


def _finite(values: Array) -> Array:
    if not np.isfinite(values).all():
        raise DataError("vectors hold values that are not finite, so that no text is near another.")
    return values.astype(np.float32)
