"""Exact match and F1 of answers, as SQuAD counts them.

Of each question the best of its true answers counts (evaluate-v2.0.py, rajpurkar.github.io/SQuAD-explorer;
Rajpurkar et al., Know What You Don't Know, 2018). Words are compared as numbers, so that arrays hold answers.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.tasks.examples import IGNORED
from compresskit.tasks.weighted import share

Array = npt.NDArray[Any]

_NO_MARKS = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_BYTES = 6  # a float64 holds such numbers exactly


def normalised(text: str) -> list[str]:
    """Words in lower case, without ASCII punctuation, then without articles."""
    return _ARTICLES.sub(" ", text.lower().translate(_NO_MARKS)).split()


def word_numbers(text: str) -> list[int]:
    """A number from 0 for each of the `normalised` words: equal words differ by how often they stood before.

    So what two answers share, counted as often as it is in both, is what their sets of numbers share.
    """
    seen: Counter[str] = Counter()
    found = []
    for word in normalised(text):
        found.append(_number(word, seen[word]))
        seen[word] += 1
    return found


@lru_cache(maxsize=100_000)
def _number(word: str, times: int) -> int:
    data = f"{times} {word}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=_BYTES).digest(), "big")


def filled(rows: Sequence[Sequence[Sequence[int]]], least: int) -> Array:
    """Numbers as one array (rows, answers, numbers), `least` wide or wider; the rest is `IGNORED`."""
    most = max(map(len, rows), default=0)
    longest = max((len(answer) for row in rows for answer in row), default=0)
    found = np.full((len(rows), max(most, 1), max(longest, least)), IGNORED, dtype=np.int64)
    for place, row in zip(found, rows, strict=True):
        for line, answer in zip(place, row, strict=False):
            line[: len(answer)] = answer
    return found


def f1(said: Array, true: Array) -> Array:
    """(questions,) F1 of the words said, (questions, words), to the best of (questions, answers, words)."""
    shared = np.zeros(true.shape[:2])
    for column in said.T:
        shared += ((true == column[:, None, None]) & (column != IGNORED)[:, None, None]).any(-1)
    both = (said != IGNORED).sum(-1)[:, None] + (true != IGNORED).sum(-1)
    return _best(share(2 * shared, both.astype(np.float64)), said, true)


def exact_match(said: Array, true: Array) -> Array:
    """(questions,) 1 where the words said are those of an answer, in their order, else 0."""
    width = max(said.shape[-1], true.shape[-1])
    said, true = (
        np.pad(each, [*[(0, 0)] * (each.ndim - 1), (0, width - each.shape[-1])], constant_values=IGNORED)
        for each in (said, true)
    )
    return _best((true == said[:, None]).all(-1).astype(np.float64), said, true)


def _best(scores: Array, said: Array, true: Array) -> Array:
    """The highest of `scores` (questions, answers) of answers with words; 1 for none where there is none."""
    held = (true != IGNORED).any(-1)
    none = ~(said != IGNORED).any(-1)
    best: Array = np.where(held.any(-1), np.where(held, scores, 0.0).max(-1), none.astype(np.float64))
    return best


METRICS: Mapping[str, Callable[[Array, Array], Array]] = {"f1": f1, "exact_match": exact_match}
"""Of each question, by name, the default first: the metric is the mean over questions."""
