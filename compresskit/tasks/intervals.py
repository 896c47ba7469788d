"""Intervals of a metric, and of its difference to the dense model's: a bootstrap over rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.containment import words
from compresskit.data.grouping import group_rows
from compresskit.data.splits import LARGEST_GROUP
from compresskit.data.units import ROWS, units_of
from compresskit.target.statistics import student_quantile
from compresskit.tasks.examples import IGNORED
from compresskit.tasks.judge import Judge

Values = npt.NDArray[Any]
Ends = tuple[float, float]

DRAWS = 2_000
_CELLS = 2_000_000  # of a table of samples by rows: bounds memory
_MODELS = 32  # groups that the two further ones are drawn from


@dataclass(frozen=True)
class Known:
    """95 % intervals of a metric and, paired, of it minus the dense model's; fractions, as metrics are."""

    rows: int
    metric_ci: Ends
    difference_ci: Ends | None = None


def row_groups(texts: Sequence[tuple[str, ...]], unit: str = ROWS) -> npt.NDArray[np.int64]:
    """(rows,) number of each row's group: they share a text, or one holds another's, as in splits.

    `unit`: of the task. Rows with equal texts that are one are of one group, however many they are.
    """
    units = units_of(texts, unit)
    rows = [tuple(words(text) for text in texts[i]) for i in units.first]
    return group_rows(rows, limit=max(int(LARGEST_GROUP * len(rows)), 10)).group[units.of]


def intervals(
    kind: Judge,
    labels: Values,
    answers: Sequence[Values],
    *,
    dense: Values | None = None,
    groups: npt.NDArray[np.int64] | None = None,
    seed: int = 0,
) -> list[Known]:
    """Of each of `answers`, in the form of `labels`: (rows, ...).

    Whole groups of rows are drawn, by default single rows, and the same for all models (Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13); the quantiles are those that
    make up for few groups (Hesterberg, What Teachers Should Know about the Bootstrap, 2015, section 5.3).
    Where rows are right or wrong two more groups can be drawn: one that the dense model alone has right, and
    one that it alone has wrong. So no difference on n rows stands for one of up to 3/n, and not for none.
    """
    groups = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    every = [labels, *answers, *([] if dense is None else [dense])]
    labels, *alike = _of_one_width(every, 0 if kind.is_vector else IGNORED)
    rows = _Rows(kind, labels, groups, seed)
    models = [rows.say(each, right=place == len(answers)) for place, each in enumerate(alike)]
    drawn = np.concatenate(
        [[kind.weighted(each, rows.labels, counts) for each in models] for counts in rows.draws()], axis=1
    )
    once = np.ones((1, len(labels)))
    whole = [float(kind.weighted(each[: len(labels)], labels, once)[0]) for each in models]
    found = []
    for place in range(len(answers)):
        own = rows.interval(drawn[place], whole[place])
        difference = (
            None if dense is None else rows.interval(drawn[place] - drawn[-1], whole[place] - whole[-1])
        )
        found.append(Known(len(labels), own, difference))
    return found


class _Rows:
    """The rows in groups, followed by those of the two groups that are drawn too."""

    def __init__(self, kind: Judge, labels: Values, groups: npt.NDArray[Any], seed: int) -> None:
        self.size = int(groups.max()) + 1
        self.seed = seed
        rng = np.random.default_rng(seed)
        sides = 0 if kind.is_regression else 2
        self.models = min(self.size, _MODELS) if sides else 0
        copies = [rng.choice(self.size, self.models, replace=False) for _ in range(sides)]
        rows = [[np.flatnonzero(groups == group) for group in side] for side in copies]
        flat = [np.concatenate(side) for side in rows]
        self.labels = np.concatenate([labels, *(labels[side] for side in flat)])
        numbers = [
            np.full(len(held), self.size + place)
            for place, held in enumerate(held for side in rows for held in side)
        ]
        self.group = np.concatenate([groups, *numbers]).astype(np.int64)
        self.sides = [labels[side] for side in flat]
        other = rng.permutation(labels)
        self.wrong = [kind.mistaken(side, other) for side in self.sides]

    def say(self, answers: Values, *, right: bool) -> Values:
        """`answers`, and what the model says of the further rows: the first half `right`, or the second."""
        if not self.sides:
            return answers
        first, second = (self.sides[0], self.wrong[1]) if right else (self.wrong[0], self.sides[1])
        return np.concatenate([answers, first, second])

    def draws(self) -> Iterator[npt.NDArray[np.float64]]:
        """(samples, rows) how often each sample holds each row, `DRAWS` samples in all."""
        rng = np.random.default_rng(self.seed + 1)
        step = max(_CELLS // len(self.group), 1)
        slots, wide = self.size + (2 if self.models else 0), self.size + 2 * self.models
        for start in range(0, DRAWS, step):
            samples = min(step, DRAWS - start)
            chosen = rng.integers(0, slots, (samples, slots))
            further = [chosen == self.size + side for side in range(slots - self.size)]
            for side, hit in enumerate(further):
                model = rng.integers(0, self.models, int(hit.sum()))
                chosen[hit] = self.size + side * self.models + model
            chosen += np.arange(samples)[:, None] * wide
            counts = np.bincount(chosen.ravel(), minlength=samples * wide).reshape(samples, wide)
            yield counts[:, self.group].astype(np.float64)

    def interval(self, drawn: npt.NDArray[np.float64], whole: float) -> Ends:
        """Between the quantiles of `drawn`; it holds what all rows say, `whole`."""
        freedom = max(self.size - 1, 4)
        reach = student_quantile(0.975, freedom) * sqrt((freedom + 1) / freedom)
        low, high = np.quantile(drawn, [NormalDist().cdf(-reach), NormalDist().cdf(reach)])
        return min(float(low), whole), max(float(high), whole)


def _of_one_width(arrays: Sequence[Values], filler: int) -> list[Values]:
    """Arrays (rows, ...) with their further axes filled up to the longest of them."""
    if arrays[0].ndim == 1:
        return list(arrays)
    shape = np.max([each.shape[1:] for each in arrays], axis=0)
    return [
        np.pad(each, [(0, 0), *((0, more) for more in shape - each.shape[1:])], constant_values=filler)
        for each in arrays
    ]
