"""What a model has to beat: logistic regression on TF-IDF of words, on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from compresskit.tasks.task import Split, Task

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # C, the inverse of the penalty
NGRAMS = ((1, 1), (1, 2), (1, 3))


def tfidf_answers(task: Task) -> tuple[npt.NDArray[np.int64], dict[str, Any]]:
    """Class ids of the test rows, and the settings, which are chosen on validation rows."""
    best: tuple[float, Any, dict[str, Any]] | None = None
    for ngrams in NGRAMS:
        for strength in STRENGTHS:
            model = make_pipeline(
                TfidfVectorizer(sublinear_tf=True, ngram_range=ngrams, token_pattern=r"\S+"),
                LogisticRegression(C=strength, max_iter=2000),
            )
            model.fit(_texts(task.train), task.train.labels)
            metric = float(model.score(_texts(task.validation), task.validation.labels))
            if best is None or metric > best[0]:
                best = metric, model, {"ngrams": ngrams, "C": strength, "validation": metric}
    assert best is not None
    return best[1].predict(_texts(task.test)), best[2]


def _texts(split: Split) -> list[str]:
    return [row[0] for row in split.texts]
