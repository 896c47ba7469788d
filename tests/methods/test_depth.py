from __future__ import annotations

import pytest

from compresskit.errors import ConfigurationError
from compresskit.methods.depth import depths_of
from tests.contracts.method import Explored, MethodContract


class TestLayerDrop(MethodContract):
    name = "layer-drop"

    def test_every_other_layer_goes_first(self, explored: Explored) -> None:
        kept = [record.candidate.architecture.kept_layers for record in explored.records]
        assert kept == [(0, 1, 2), (0, 2), (0,)]


class TestLayerDropTop(MethodContract):
    name = "layer-drop-top"

    def test_the_lowest_layers_stay(self, explored: Explored) -> None:
        kept = [record.candidate.architecture.kept_layers for record in explored.records]
        assert kept == [(0, 1, 2), (0, 1), (0,)]


class TestLayerDropBottom(MethodContract):
    name = "layer-drop-bottom"

    def test_the_highest_layers_stay(self, explored: Explored) -> None:
        kept = [record.candidate.architecture.kept_layers for record in explored.records]
        assert kept == [(1, 2, 3), (2, 3), (3,)]


class TestStudent(MethodContract):
    name = "student"

    def test_layers_are_spread_over_the_depth(self, explored: Explored) -> None:
        kept = [record.candidate.architecture.kept_layers for record in explored.records]
        assert kept == [(0, 1, 3), (0, 3), (0,)]


def test_depths_are_spread_where_there_are_fewer_points() -> None:
    assert depths_of(6, 8) == [5, 4, 3, 2, 1]
    assert depths_of(12, 4) == [11, 5, 2, 1]
    assert depths_of(12, 1) == [3]


def test_a_model_of_one_layer_cannot_lose_it() -> None:
    with pytest.raises(ConfigurationError, match="one layer"):
        depths_of(1, 8)
