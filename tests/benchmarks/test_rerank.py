"""What the benchmark of rerankers makes and judges."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tasks.ranked import nearest
from benchmarks.tasks.rerank import judge
from compresskit.data.table import Table
from compresskit.tasks.examples import DataOptions
from compresskit.tasks.ranking import MRR
from compresskit.tasks.rerank import Rerank


def test_passages_that_share_rare_words_come_first() -> None:
    sentences = ["the cat sat", "the dog sat", "the bird flew", "a cat and a dog"]
    assert nearest(["where is the cat ?"], sentences, 2) == [[0, 3]]
    assert nearest(["which bird"], sentences, 9) == [[2]]


def test_the_share_of_the_dense_metric_is_paired_over_queries() -> None:
    queries = [f"query w{i // 4}" for i in range(160)]
    table = Table.of(
        {"query": queries, "passage": ["p"] * 160, "label": [int(i % 4 == 0) for i in range(160)]}
    )
    test = Rerank((), MRR).read_test(table, "test", "f", DataOptions())
    scores = np.where(test.labels[:, 2] > 0, 1.0, 0.0)
    worse = scores.copy()
    worse[:16] = 1 - scores[:16]  # of four queries of forty: three of four passages tie before the right one
    found = judge(
        test, {n: np.column_stack([test.labels[:, 0], s]) for n, s in (("dense", scores), ("small", worse))}
    )
    assert found["dense"][MRR] == {"score": 1, "score_ci": (1, 1), "kept": 1, "kept_ci": [1, 1]}
    small = found["small"][MRR]
    assert small["kept"] == pytest.approx((36 + 4 / 4) / 40)
    assert small["kept_ci"][0] < small["kept"] < small["kept_ci"][1] < 1.01
