"""Rankings judged query by query, of rows in any order. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.errors import DataError
from compresskit.inputs import Row
from compresskit.tasks.judge import Judge
from compresskit.tasks.ranking import ABSENT, NDCG, RANKING
from compresskit.tasks.weighted import share, sums

Array = npt.NDArray[Any]

QUERY, SCORE, GAIN, RELEVANT = range(4)
QUERY_INPUT = "query"
"""Of an encoded row: the number of its query."""
TO_DENSE = "dense_"
"""Of metrics whose reference is the dense model's ranking, since there are no labels."""


@dataclass(frozen=True)
class Ranked(Judge):
    """Labels are (rows, 4): the query's number, a score, the gain from 0 to 1, and whether that is relevance.

    Answers have the same form, so that one model's ranking can be the reference of another's. Passages are
    ranked by the score, a logit of answers and the gain of labels. Gains of answers are probabilities, of
    each query the least 0 and the highest 1, and a query's first passage is the relevant one. Predictions are
    (rows, 2): the query's number, and the logit. Queries whose passages do not differ in gain are not scored,
    for every order of them has the same value.
    """

    is_regression = True
    unit = "queries"

    def predictions(self, logits: Array, rows: Sequence[Row]) -> Array:
        found = np.zeros((len(rows), 2))
        for place, row in enumerate(rows):
            found[place] = row[QUERY_INPUT][0], logits[place, 0]
        return found

    def answers(self, predictions: Array) -> Array:
        if not np.isfinite(predictions).all():
            raise DataError(
                f"{self.metric_name} cannot be computed: predictions hold values that are not finite. If "
                "training diverged, give a lower --learning-rate."
            )
        queries, logits = predictions.T
        chances = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
        least, most, member = _extremes(queries, chances)
        gains = share(chances - least[member], (most - least)[member])
        first = _extremes(queries, logits)[1][member] == logits
        return np.column_stack([queries, logits, gains, first])

    def score_answers(self, answers: Array, labels: Array) -> float:
        return float(self.weighted(answers, labels, np.ones((1, len(labels))))[0])

    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        """Queries are drawn whole; where rows are not, a query counts as often as its rows on average."""
        scored, member = varied(labels)
        values = np.where(scored, self._values(answers, labels, member), 0.0)
        drawn = sums(counts, member, len(scored)) / np.bincount(member) * scored
        return share(drawn @ values, drawn.sum(1))

    def prior(self, train_labels: Array, labels: Array) -> float:
        """All passages tie: the mean over all orders."""
        return self.score_answers(labels * (np.arange(4) == QUERY), labels)

    def _values(self, answers: Array, labels: Array, member: npt.NDArray[np.intp]) -> Array:
        """(queries,) the metric of each."""
        name = self.metric_name.removeprefix(TO_DENSE)
        sizes = np.bincount(member)
        order = np.argsort(member, kind="stable")
        place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        scores, relevance = np.full((2, len(sizes), int(sizes.max(initial=0))), [[[ABSENT]], [[0.0]]])
        scores[member[order], place] = answers[order, SCORE]
        relevance[member[order], place] = labels[order, GAIN if name == NDCG else RELEVANT]
        return RANKING[name](scores, relevance)


def varied(labels: Array) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """(queries,) whether its passages differ in gain, and (rows,) the place of each row's query there."""
    least, most, member = _extremes(labels[:, QUERY], labels[:, GAIN])
    return most > least, member


def first_of_each(answers: Array) -> npt.NDArray[np.intp]:
    """(queries,) the row of each one's first passage; of passages that tie, the first one in the data."""
    order = np.lexsort((-answers[:, SCORE], answers[:, QUERY]))
    return order[np.unique(answers[order, QUERY], return_index=True)[1]]


def _extremes(queries: Array, values: Array) -> tuple[Array, Array, npt.NDArray[np.intp]]:
    """(queries,) the least and the highest value of each, and (rows,) the place of each row's query there."""
    names, member = np.unique(queries, return_inverse=True)
    least, most = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    np.minimum.at(least, member, values)
    np.maximum.at(most, member, values)
    return least, most, member
