"""How what a model says of rows is judged. numpy only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from compresskit.data.units import ROWS
from compresskit.inputs import Row

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Judge(ABC):
    """A metric of answers: `labels` are names by class id, none where answers are numbers or vectors.

    Where `is_regression` an answer is neither right nor wrong, and where `is_vector` the vector of a text, of
    any width. `unit`: what rows with equal texts are that
    stay together in every split and sample, such as `queries`.
    """

    is_regression: ClassVar[bool] = False
    is_vector: ClassVar[bool] = False
    unit: ClassVar[str] = ROWS

    labels: tuple[str, ...]
    metric_name: str

    def predictions(self, logits: Array, rows: Sequence[Row]) -> Array:
        """What a model says of each input, from its logits (rows, ...), padded with 0 at the end of rows."""
        return logits

    @abstractmethod
    def answers(self, predictions: Array) -> Array:
        """What a model chose, in the form of `Examples.labels`. DataError unless all is finite.

        With the dense model's answers for labels, a score tells how true a compressed model is to it: its
        fidelity (Stanton et al., Does Knowledge Distillation Really Work?, 2021).
        """

    @abstractmethod
    def score_answers(self, answers: Array, labels: Array) -> float:
        """The metric, as a fraction; more is better."""

    def score(self, predictions: Array, labels: Array) -> float:
        """The metric of predictions, as a fraction. DataError where they do not fit, or are not finite."""
        return self.score_answers(self.answers(predictions), labels)

    @abstractmethod
    def prior(self, train_labels: Array, labels: Array) -> float:
        """The metric of the best answer that is the same for every row, chosen on training labels."""

    @abstractmethod
    def weighted(self, answers: Array, labels: Array, counts: npt.NDArray[np.float64]) -> Array:
        """(samples,) metric of each sample of rows: `counts` (samples, rows) says how often it holds each.

        Equal to `score_answers` of the rows written out that often.
        """

    def mistaken(self, labels: Array, others: Array) -> Array:
        """Wrong answers to rows with `labels`, such as `others` show. Not asked where `is_regression`."""
        raise NotImplementedError
