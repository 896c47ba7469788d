from __future__ import annotations

from pathlib import Path

import pytest

from compresskit.methods.retraining_free import UnderLatency
from tests.contracts.method import Explored, MethodContract, make_context


class TestRetrainingFree(MethodContract):
    name = "retraining-free"
    trained = False

    def test_every_layer_keeps_a_head_and_units(self, explored: Explored) -> None:
        for record in explored.records:
            shapes = record.candidate.architecture.shapes
            assert len(shapes) == 4
            assert all(heads >= 1 and units >= 4 for heads, units in shapes)


class TestUnderLatency(MethodContract):
    name = "retraining-free-latency"
    trained = False

    def test_sizes_keep_their_latency(self, explored: Explored) -> None:
        context = explored.context
        dense = UnderLatency().measure(context, context.evaluator.supernet.full)
        for record in explored.records:
            assert record.config is not None
            assert (record.latency_ms or 0) <= record.config["share_of_latency"] * dense * (1 + 1e-9)


def test_fitted_costs_are_those_of_an_additive_target(tmp_path: Path) -> None:
    context = make_context(tmp_path / "run", "retraining-free-latency", 3)
    costs = UnderLatency().costs(context)
    full = context.evaluator.supernet.full
    assert costs.of(full) == pytest.approx(UnderLatency().measure(context, full))
    assert costs.heads[3] - costs.heads[1] == pytest.approx(2.0)
    assert costs.units[24] - costs.units[4] == pytest.approx(2.0)


def test_macs_are_those_that_trials_are_recorded_with(tmp_path: Path) -> None:
    context = make_context(tmp_path / "run", "retraining-free", 3)
    full = context.evaluator.supernet.full
    assert context.mac_costs.of(full) == context.macs(full)
