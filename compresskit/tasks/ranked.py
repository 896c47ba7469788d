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

QUERY, GAIN, RELEVANT = range(3)
QUERY_INPUT = "query"
"""Of an encoded row: the number of its query."""
TO_DENSE = "dense_"
"""Of metrics whose reference is the dense model's ranking, since there are no labels."""


@dataclass(frozen=True)
class Ranked(Judge):
    """Labels are (rows, 3): the number of the query, the gain from 0 to 1, and whether that is relevance.

    Answers have the same form, so that one model's ranking can be the reference of another's: gains are then
    probabilities, by which passages are ranked, and a query's first passage is the relevant one. Predictions
    are (rows, 2): the number of the query, and the logit. Queries whose passages do not differ in gain are
    not scored, for every order of them has the same value.
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
        gains = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
        _, best, member = _extremes(queries, gains)
        return np.column_stack([queries, gains, gains == best[member]])

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
        return self.score_answers(labels * np.eye(3)[QUERY], labels)

    def _values(self, answers: Array, labels: Array, member: npt.NDArray[np.intp]) -> Array:
        """(queries,) the metric of each."""
        name = self.metric_name.removeprefix(TO_DENSE)
        sizes = np.bincount(member)
        order = np.argsort(member, kind="stable")
        place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        scores, relevance = np.full((2, len(sizes), int(sizes.max(initial=0))), [[[ABSENT]], [[0.0]]])
        scores[member[order], place] = answers[order, GAIN]
        relevance[member[order], place] = labels[order, GAIN if name == NDCG else RELEVANT]
        return RANKING[name](scores, relevance)


def varied(labels: Array) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """(queries,) whether its passages differ in gain, and (rows,) the place of each row's query there."""
    least, most, member = _extremes(labels[:, QUERY], labels[:, GAIN])
    return most > least, member


def _extremes(queries: Array, gains: Array) -> tuple[Array, Array, npt.NDArray[np.intp]]:
    """(queries,) the least and the highest gain of each, and (rows,) the place of each row's query there."""
    names, member = np.unique(queries, return_inverse=True)
    least, most = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    np.minimum.at(least, member, gains)
    np.maximum.at(most, member, gains)
    return least, most, member
