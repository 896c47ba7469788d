"""How well scores rank the documents of a query. numpy only.

Where scores tie, a metric is its mean over all orders of the tied, in closed form (McSherry and Najork,
Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores, ECIR 2008).
Tools differ here: pytrec_eval orders the tied by document id, ranx by their place in the input, and
scikit-learn's nDCG has this mean. A strongly pruned or int8 model ties often, so an order by place would
reward or punish it for how the input happens to be sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Values = npt.NDArray[np.float64]

CUTOFF = 10
NDCG, MRR, MAP = f"ndcg@{CUTOFF}", f"mrr@{CUTOFF}", "map"
ABSENT = -np.inf
"""The score of a place in (queries, documents) that has no document; its relevance is 0."""


def ndcg(scores: Array, relevance: Array, cutoff: int = CUTOFF) -> Values:
    """Normalized discounted cumulative gain of the first `cutoff` places: (...) of (..., documents).

    Gains are linear: the relevance itself, from 0; discounts are 1 / log2(place + 1) (Järvelin and
    Kekäläinen, Cumulated Gain-Based Evaluation of IR Techniques, 2002). nan without a relevant document.
    """
    ties = _ties(scores, relevance)
    discounts = 1 / np.log2(np.arange(2, np.shape(scores)[-1] + 2))
    discounts[cutoff:] = 0
    best = -np.sort(-np.asarray(relevance, dtype=np.float64), axis=-1)
    return _defined((ties.held / ties.size) @ discounts, best @ discounts)


def reciprocal_rank(scores: Array, relevance: Array, cutoff: int = CUTOFF) -> Values:
    """1 / place of the first relevant document, 0 where it is beyond `cutoff`: (...) of (..., documents).

    Of several queries, the mean is MRR (Voorhees, The TREC-8 Question Answering Track Report, 1999).
    Relevant is what is above 0. nan without a relevant document.
    """
    relevant = np.asarray(relevance) > 0
    ties = _ties(scores, relevant)
    # At each place: the chance that it has no relevant document, where none before it in its tie had.
    chance = np.maximum(ties.size - ties.held - ties.within, 0) / (ties.size - ties.within)
    none = np.cumprod(chance[..., :cutoff], axis=-1)
    first = -np.diff(none, axis=-1, prepend=1.0)
    any_relevant = np.asarray(relevant.any(-1))
    return _defined(first @ (1 / np.arange(1, first.shape[-1] + 1)), np.ones(()), any_relevant)


def average_precision(scores: Array, relevance: Array) -> Values:
    """Mean of the precision at each relevant document: (...) of (..., documents).

    Of several queries, the mean is MAP (Buckley and Voorhees, Evaluating Evaluation Measure Stability, 2000).
    Relevant is what is above 0. nan without a relevant document.
    """
    relevant = np.asarray(relevance) > 0
    ties = _ties(scores, relevant)
    # With a relevant document at this place, the others of its tie are before it as often as after it.
    others = ties.within * np.maximum(ties.held - 1, 0) / np.maximum(ties.size - 1, 1)
    precision = (ties.before + 1 + others) / np.arange(1, np.shape(scores)[-1] + 1)
    return _defined((ties.held / ties.size * precision).sum(-1), relevant.sum(-1))


RANKING: Mapping[str, Callable[[Array, Array], Values]] = {
    NDCG: ndcg,
    MRR: reciprocal_rank,
    MAP: average_precision,
}
"""Of each query, by name: the metric is the mean over queries."""


class _Ties(NamedTuple):
    """Of each place in the order of scores, (..., documents): the tie that it is in.

    `size`: documents in it. `within`: places of it before this one. `held`: its relevance in all. `before`:
    the relevance in all of what is ranked above it.
    """

    size: Values
    within: Values
    held: Values
    before: Values


def _ties(scores: Array, relevance: Array) -> _Ties:
    order = np.argsort(-np.asarray(scores), axis=-1, kind="stable")
    ranked = np.take_along_axis(np.asarray(scores), order, -1)
    gains = np.take_along_axis(np.asarray(relevance, dtype=np.float64), order, -1)
    places = np.broadcast_to(np.arange(ranked.shape[-1]), ranked.shape)
    differs = np.ones((*ranked.shape[:-1], 1), dtype=np.bool_)
    steps = ranked[..., 1:] != ranked[..., :-1]
    starts = np.maximum.accumulate(np.where(np.concatenate([differs, steps], -1), places, 0), axis=-1)
    last = np.where(np.concatenate([steps, differs], -1), places, ranked.shape[-1])
    ends = np.minimum.accumulate(last[..., ::-1], axis=-1)[..., ::-1]
    sums = np.cumsum(gains, axis=-1)
    before = np.take_along_axis(sums - gains, starts, -1)
    held = np.take_along_axis(sums, ends, -1) - before
    return _Ties((ends - starts + 1.0), (places - starts).astype(np.float64), held, before)


def _defined(value: Array, whole: Array, where: Array | None = None) -> Values:
    """`value / whole`; nan where there is no whole, or not `where`."""
    where = whole > 0 if where is None else where
    found: Values = np.divide(value, whole, out=np.full(np.shape(value), np.nan), where=where)
    return found
