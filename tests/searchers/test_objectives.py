from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compresskit.errors import SearchError
from compresskit.searchers.loop import Evaluation
from compresskit.searchers.objectives import (
    costs_of,
    front_of,
    make_objectives,
    relative_hypervolume,
    scaled_costs,
    worth,
)

BOTH = make_objectives(["metric", "latency_ms"])


def test_costs_turn_the_metric_alone() -> None:
    objectives = make_objectives(["latency_ms", "metric", "num_params", "macs", "size_bytes"])
    measured = Evaluation(metric=0.75, latency_ms=2.0, num_params=10, macs=20, size_bytes=30)
    assert costs_of(measured, objectives) == (2.0, 0.25, 10.0, 20.0, 30.0)


def test_the_metric_counts_as_much_as_fidelity() -> None:
    assert worth(metric=0.25, fidelity=0.75, dense_metric=0.9) == 0.5
    assert worth(metric=0.75, fidelity=0.25, dense_metric=0.9) == 0.5
    assert worth(metric=0.9, fidelity=1.0, dense_metric=0.9) == pytest.approx(0.95)


def test_what_is_beyond_the_dense_metric_counts_in_full() -> None:
    # At best, each answer that departs from the dense model's is one that it has wrong.
    for metric in (0.6, 0.7, 1.0):
        gained = worth(metric, fidelity=1.0 - (metric - 0.6), dense_metric=0.6)
        assert gained == pytest.approx(worth(0.6, 1.0, 0.6) + (metric - 0.6) / 2)


def test_costs_are_those_of_the_worth_where_it_is_known() -> None:
    measured = Evaluation(metric=0.25, latency_ms=2.0, fidelity=0.75, worth=0.5)
    assert costs_of(measured, BOTH) == (0.5, 2.0)
    assert costs_of(replace(measured, worth=None), BOTH) == (0.75, 2.0)
    assert costs_of(replace(measured, metric=None, worth=None), BOTH) is None


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
    assert relative_hypervolume([replace(half, worth=1.1)], dense, BOTH) == pytest.approx(0.5)
    assert relative_hypervolume([half], Evaluation(metric=0.9), BOTH) is None
