"""The best answers in the windows of a question, by the logits of their first and last tokens.

As in transformers' examples (question-answering/utils_qa.py): the sum of both logits ranks answers of all
windows together, and the lowest such sum of the windows' first tokens is that of no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.inputs import PART, Row
from compresskit.tasks.examples import IGNORED
from compresskit.tasks.qa_metric import word_numbers
from compresskit.tasks.qa_windows import BEGINS, CONTEXT, ENDS

Array = npt.NDArray[Any]

N_BEST = 20
MOST_TOKENS = 30  # of an answer
# Columns of predictions: how much more no answer scores than the best one; the probability of the best
# answer and of none, of the `N_BEST` and, with none, one more; the answer's first character and the one
# behind its last; its words' numbers follow.
MARGIN, PROBABILITY, OF_NONE, SPAN = 0, 1, 2, 3
WORDS = SPAN + 2
FAR = 1e4  # the margin where the context has no token


def best_answers(logits: Array, rows: Sequence[Row], *, none: bool) -> npt.NDArray[np.float64]:
    """(questions, WORDS + words) of the logits (windows, tokens, 2) of `rows`; `none`: it may be no answer.

    A question with a logit that is not finite has nan alone.
    """
    found = [_best(windows, said, none) for windows, said in _by_question(rows, logits)]
    predictions = np.full((len(found), max(map(len, found), default=WORDS)), float(IGNORED))
    for line, values in zip(predictions, found, strict=True):
        line[: len(values)] = values
    return predictions


def _by_question(rows: Sequence[Row], logits: Array) -> Iterator[tuple[Sequence[Row], list[Array]]]:
    start = 0
    while start < len(rows):
        end = start + rows[start][PART][1]
        windows = rows[start:end]
        yield windows, [logits[start + i, : len(row[BEGINS])] for i, row in enumerate(windows)]
        start = end


def _best(windows: Sequence[Row], said: Sequence[Array], none: bool) -> list[float]:
    if not all(np.isfinite(each).all() for each in said):
        return [float("nan")] * WORDS
    sums: dict[tuple[int, int], float] = {}
    for row, logits in zip(windows, said, strict=True):
        for span, score in _spans(row, logits):
            sums[span] = max(score, sums.get(span, score))
    ranked = sorted(sums.items(), key=lambda item: -item[1])[:N_BEST]
    empty = min(float(logits[0].astype(np.float64).sum()) for logits in said)
    if not ranked:
        return [FAR, 0.0, 1.0, 0, 0]
    scores = np.array([*(score for _, score in ranked), *([empty] if none else [])])
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    (start, end), best = ranked[0]
    words = word_numbers(windows[0][CONTEXT][start:end])
    return [empty - best, float(shares[0]), float(shares[-1]) if none else 0.0, start, end, *words]


def _spans(row: Row, logits: Array) -> Iterator[tuple[tuple[int, int], float]]:
    """The best answers of a window, as characters without spaces at their ends, with their scores."""
    inside = np.flatnonzero(row[BEGINS] >= 0)
    if not len(inside):
        return
    first, last = (np.argsort(-logits[inside, side], kind="stable")[:N_BEST] for side in (0, 1))
    sums = logits[inside[first], 0].astype(np.float64)[:, None] + logits[inside[last], 1]
    lengths = last - first[:, None] + 1
    sums = np.where((lengths >= 1) & (lengths <= MOST_TOKENS), sums, -np.inf)
    for place in np.argsort(-sums, axis=None, kind="stable")[:N_BEST]:
        i, j = np.unravel_index(place, sums.shape)
        if sums[i, j] == -np.inf:
            return
        start, end = int(row[BEGINS][inside[first[i]]]), int(row[ENDS][inside[last[j]]])
        text = row[CONTEXT][start:end]
        begin = start + len(text) - len(text.lstrip())
        yield (begin, max(begin, start + len(text.rstrip()))), float(sums[i, j])


def best_threshold(margins: Array, answered: Array, unanswered: Array) -> float:
    """The margin above which to give no answer, between two that occur, by the highest sum of scores.

    All are (questions,): `answered` scores the best answers, `unanswered` none.
    """
    order = np.argsort(margins, kind="stable")
    ranked = np.concatenate([[margins.min() - 2], margins[order], [margins.max() + 2]])
    gained = np.concatenate([[0.0], np.cumsum((answered - unanswered)[order])])
    best = int(np.where(ranked[:-1] < ranked[1:], gained, -np.inf).argmax())
    return float(ranked[best : best + 2].mean())
