"""Warnings before training: rows that are few, and a tokenizer that knows little of the texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compresskit.inputs import TEXT
from compresskit.pipeline.training.input_warnings import cautions
from compresskit.tasks.base import TaskKind
from compresskit.tasks.classification import Classification
from compresskit.tasks.metrics import REGRESSION
from compresskit.tasks.regression import Regression
from compresskit.tasks.rerank import Rerank


class FakeSplit:
    def __init__(self, rows: int, ids: list[int]) -> None:
        self.encoded = [{"input_ids": ids}] * rows
        self.texts = [("a text",)] * rows

    @property
    def labels(self) -> list[int]:
        return [0] * len(self.encoded)


def told(
    rows: int, metric: str = "accuracy", ids: list[int] | None = None, unknown: int | None = 1
) -> list[str]:
    split = FakeSplit(rows, ids or [2, 7, 8, 3])
    kind = Regression((), metric) if metric in REGRESSION else Classification(("a", "b"), metric)
    return lines_of(split, kind, unknown)


def lines_of(split: FakeSplit, kind: TaskKind, unknown: int | None = 1) -> list[str]:
    task: Any = type(
        "T", (), {"validation": split, "search": split, "kind": kind, "inputs": TEXT, "judges": {}}
    )()
    tokenizer = type("T", (), {"unk_token_id": unknown, "unk_token": "[UNK]"})()
    checkpoint: Any = type("C", (), {"reader": tokenizer})()
    return list(cautions(task, checkpoint))


def test_enough_rows() -> None:
    assert told(400) == []


def test_sixty_rows() -> None:
    (line,) = told(60)
    assert "only 60 validation rows: one row is 1.7 points" in line
    assert "up to +-13 points" in line


@pytest.mark.parametrize("rows", [20, 60, 200])
def test_the_width_is_that_of_draws(rows: int) -> None:
    """95 of 100 samples of a coin lie within what is told."""
    (line,) = told(rows)
    width = float(line.partition("accuracy is up to +-")[2].split()[0]) / 100
    shares = np.random.default_rng(0).binomial(rows, 0.5, size=4000) / rows
    assert 0.91 <= (np.abs(shares - 0.5) <= width + 0.005).mean() <= 0.985


def test_a_correlation() -> None:
    assert "the 95 % interval of a correlation is up to +-0.26" in told(60, "pearson_spearman")[0]


def test_passages_count_by_their_queries() -> None:
    """A thousand passages of twenty queries are few."""
    split = FakeSplit(1000, [2, 7, 8, 3])
    split.texts = [(f"query {row // 50}",) for row in range(1000)]
    kind = Rerank((), "ndcg@10")
    assert lines_of(split, kind)[0].startswith("only 20 validation queries: one query in 20 can move")
    assert lines_of(split, kind)[0].endswith("more labelled queries help.")
    assert lines_of(split, Rerank((), "ndcg@10", True))[0].endswith("; more queries help.")


def test_texts_that_the_tokenizer_does_not_know() -> None:
    assert told(400, ids=[2, 1, 1, 3])[0].startswith("50% of the tokens of the texts are unknown")
    assert told(400, ids=[2, 1, 7, 8, 7, 3]) == []
    assert told(400, ids=[2, 1, 1, 3], unknown=None) == []
