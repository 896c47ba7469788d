"""Whether a classifier's outputs fit the labels of the data in another order than theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest

from compresskit.errors import some

Array = npt.NDArray[Any]

CLEAR = 0.001  # chance that an order that is no better looks so much better
LEAST_GAIN = 0.05  # of accuracy; a smaller one is a matter of the model, not of names


@dataclass(frozen=True)
class LabelOrder:
    """`classes[i]`: the class id that output i stands for. Accuracies are of rows that did not choose it.

    `p_value`: one-sided exact test (McNemar) of the rows on which the two orders differ.
    """

    classes: tuple[int, ...]
    accuracy: float
    accuracy_as_named: float
    p_value: float

    @property
    def is_clear(self) -> bool:
        return self.p_value < CLEAR and self.accuracy - self.accuracy_as_named >= LEAST_GAIN

    def describe(self, names: tuple[str, ...]) -> str:
        """Which names change places, at most eight of them."""
        moved = [
            f"output {i} ({names[i]!r}) answers as {names[c]!r}" for i, c in enumerate(self.classes) if i != c
        ]
        return some(moved, 8)


def better_order(answers: Array, labels: Array, num_classes: int) -> LabelOrder | None:
    """The order that fits best, where it is not the present one; None where it is, or rows are too few.

    `answers`, `labels`: (rows,) class ids. One half of each class's rows chooses the order, by assignment on
    the confusion matrix; the other half judges it.
    """
    by_class = np.argsort(labels, kind="stable")
    chooses = np.zeros(len(labels), dtype=bool)
    chooses[by_class[::2]] = True
    if chooses.all():
        return None
    confusion = np.zeros((num_classes, num_classes))
    np.add.at(confusion, (answers[chooses], labels[chooses]), 1)
    # An output that says nothing of the data keeps its name.
    _, found = linear_sum_assignment(confusion + 1e-6 * np.eye(num_classes), maximize=True)
    moved = found != np.arange(num_classes)
    if confusion[moved].any(axis=1).sum() < 2:  # one output alone, which may well be two classes in one
        return None
    said, true = answers[~chooses], labels[~chooses]
    now, then = said == true, found[said] == true
    won, lost = int((then & ~now).sum()), int((now & ~then).sum())
    chance = float(binomtest(won, won + lost, alternative="greater").pvalue) if won + lost else 1.0
    return LabelOrder(tuple(map(int, found)), float(then.mean()), float(now.mean()), chance)
