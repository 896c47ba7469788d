from __future__ import annotations

import numpy as np
import pytest

from compresskit.errors import SearchError
from compresskit.search.loop import Evaluation
from compresskit.search.objectives import (
    costs_of,
    front_of,
    make_objectives,
    relative_hypervolume,
    scaled_costs,
)

BOTH = make_objectives(["metric", "latency_ms"])


def test_costs_turn_the_metric_alone() -> None:
    objectives = make_objectives(["latency_ms", "metric", "num_params", "macs", "size_bytes"])
    measured = Evaluation(metric=0.75, latency_ms=2.0, num_params=10, macs=20, size_bytes=30)
    assert costs_of(measured, objectives) == (2.0, 0.25, 10.0, 20.0, 30.0)


def test_the_metric_counts_as_much_as_fidelity() -> None:
    assert costs_of(Evaluation(metric=0.25, latency_ms=2.0, fidelity=0.75), BOTH) == (0.5, 2.0)
    assert costs_of(Evaluation(metric=None, latency_ms=2.0, fidelity=0.5), BOTH) is None


@pytest.mark.parametrize("latency", [None, float("nan"), float("inf")])
def test_what_was_not_measured_has_no_costs(latency: float | None) -> None:
    assert costs_of(Evaluation(metric=0.5, latency_ms=latency), BOTH) is None


def test_objectives_that_make_no_trade_off_are_refused() -> None:
    for names in (["metric"], ["metric", "metric"], []):
        with pytest.raises(SearchError, match="two or more"):
            make_objectives(names)
    with pytest.raises(SearchError, match=r"'flops'.*permitted: latency_ms, macs"):
        make_objectives(["metric", "flops"])


def test_scaled_costs_take_logarithms_of_ratios() -> None:
    scaled = scaled_costs([(0.5, 1.0), (0.1, 10.0), (0.3, 100.0)], BOTH)
    assert scaled == pytest.approx(np.array([[1, 0], [0, 0.5], [0.5, 1]]))
    assert scaled_costs([(0.5, 1.0), (0.5, 1.0)], BOTH).tolist() == [[0, 0], [0, 0]]


def test_front_leaves_out_the_unmeasured() -> None:
    trials = [
        Evaluation(metric=0.9, latency_ms=10.0),
        Evaluation(metric=0.99, latency_ms=None),
        Evaluation(metric=0.8, latency_ms=12.0),
        Evaluation(metric=0.7, latency_ms=2.0),
    ]
    assert front_of(trials, BOTH) == [0, 3]
    assert front_of([], BOTH) == []


def test_relative_hypervolume() -> None:
    dense = Evaluation(metric=0.9, latency_ms=10.0)
    half = Evaluation(metric=0.8, latency_ms=5.0)
    assert relative_hypervolume([dense], dense, BOTH) == 0
    assert relative_hypervolume([dense, half], dense, BOTH) == pytest.approx(0.5 * 0.8)
    assert relative_hypervolume([half], Evaluation(metric=0.9), BOTH) is None
