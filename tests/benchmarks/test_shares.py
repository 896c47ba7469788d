"""What engines keep of the dense engine's metrics."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tasks.shares import judge, table
from compresskit.data.table import Table
from compresskit.tasks.classification import Classification
from compresskit.tasks.examples import DataOptions, Examples
from compresskit.tasks.ranked import Ranked
from compresskit.tasks.ranking import MRR
from compresskit.tasks.rerank import Rerank


def test_the_share_of_the_dense_metric_is_paired_over_queries() -> None:
    queries = [f"query w{i // 4}" for i in range(160)]
    table = Table.of(
        {"query": queries, "passage": ["p"] * 160, "label": [int(i % 4 == 0) for i in range(160)]}
    )
    test = Rerank((), MRR).read_test(table, "test", "f", DataOptions())
    scores = np.where(test.labels[:, 2] > 0, 1.0, 0.0)
    worse = scores.copy()
    worse[:16] = 1 - scores[:16]  # of four queries of forty: three of four passages tie before the right one
    kind = Ranked((), MRR)
    said = {
        name: np.column_stack([test.labels[:, 0], s]) for name, s in (("dense", scores), ("small", worse))
    }
    found = judge([kind], test, {name: kind.answers(each) for name, each in said.items()})
    assert found["dense"][MRR] == {"score": 1, "score_ci": (1, 1), "kept": 1, "kept_ci": [1, 1]}
    small = found["small"][MRR]
    assert small["kept"] == pytest.approx((36 + 4 / 4) / 40)
    assert small["kept_ci"][0] < small["kept"] < small["kept_ci"][1] < 1.01


def test_a_row_of_the_table_for_each_engine() -> None:
    kinds = [Classification(("a", "b"), metric) for metric in ("accuracy", "f1")]
    labels = np.array([0, 1] * 200)
    test = Examples([(str(i),) for i in range(400)], labels, [])
    wrong = np.where(np.arange(400) < 40, 1 - labels, labels)
    found = judge(kinds, test, {"dense": labels, "small": wrong})
    engines = {name: {"signature": name.upper(), "agreement": 0.5, **each} for name, each in found.items()}
    bench = {"ratios": [{"engine": "work/small", "speedup": 2.0, "ci": [1.5, 2.5]}]}
    head, dense, small = table(engines, bench, ["accuracy", "f1"], further=["agreement"])
    assert head[:7] == ["engine", "keeps", "speed-up", "agreement", "accuracy x 100", "kept, %", "95 %"]
    assert dense[:7] == ["dense", "DENSE", "1", "0.5000", "100.00", "100.0", "100.0 to 100.0"]
    assert small[2] == "2.00 (1.50 to 2.50)" and small[4:6] == ["90.00", "90.0"]
    low, high = map(float, small[6].split(" to "))
    assert low < 90 < high < 100
