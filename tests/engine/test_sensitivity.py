from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto

from compresskit.engine.quantize import to_dynamic_int8
from compresskit.engine.score import logits_of
from compresskit.engine.sensitivity import quantize_partly, rank_groups, weight_groups
from compresskit.engine.variants import variant_named
from tests.engine.models import LAYERS, SPOILED, make_rows, spoiled

ROWS = make_rows((9, 5, 20, 14))
OUTLIER = 500.0


def quantize(graph: ModelProto, keep: Collection[str]) -> ModelProto:
    return to_dynamic_int8(graph, keep_float=keep)


def logits(graph: ModelProto) -> npt.NDArray[Any]:
    return logits_of(graph, ROWS)


def test_groups_are_modules_that_read_one_value(exported: Callable[[str], Any]) -> None:
    plain = exported("bert").plain
    groups = weight_groups(plain)
    names = [group.name for group in groups]
    assert len(names) == len(set(names)) == 4 * LAYERS
    first = next(group for group in groups if group.name == "bert.encoder.layer.0.attention.self")
    assert [name.rsplit(".", 2)[1] for name in first.weights] == ["query", "key", "value"]
    assert "bert.encoder.layer.0.intermediate.dense" in names
    packed = variant_named("first-token-packed").apply(copy.deepcopy(plain))
    assert "attention.0.projections" in {group.name for group in weight_groups(packed)}


def test_the_layer_with_outliers_is_the_most_sensitive(exported: Callable[[str], Any]) -> None:
    ranked = rank_groups(spoiled(exported("bert").plain, OUTLIER), quantize, logits)
    assert ranked[0][0].name == SPOILED
    assert ranked[0][1] > 3 * ranked[1][1]
    distances = [distance for _, distance in ranked]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] >= 0


def test_as_few_layers_stay_in_float_as_are_needed(exported: Callable[[str], Any]) -> None:
    graph = spoiled(exported("bert").plain, OUTLIER)
    wanted = logits(graph)
    ranked = [group for group, _ in rank_groups(graph, quantize, logits)]
    permitted = float(np.abs(logits(quantize(copy.deepcopy(graph), ())) - wanted).max()) / 3

    def accept(other: ModelProto) -> float | None:
        distance = float(np.abs(logits(other) - wanted).max())
        return distance if distance <= permitted else None

    found = quantize_partly(graph, quantize, ranked, accept)
    assert found is not None
    assert found.metric <= permitted
    assert [group.name for group in found.float_groups] == [SPOILED]
    kinds = {item.name: item.data_type for item in found.graph.graph.initializer}
    assert kinds[f"{SPOILED}.weight"] == TensorProto.FLOAT
    assert TensorProto.INT8 in kinds.values()


def test_none_where_one_layer_in_int8_is_too_many(exported: Callable[[str], Any]) -> None:
    graph = exported("bert").plain
    tried: list[int] = []

    def refuse(other: ModelProto) -> None:
        tried.append(sum(node.op_type == "MatMulInteger" for node in other.graph.node))

    assert quantize_partly(graph, quantize, weight_groups(graph), refuse) is None
    assert min(tried) == 1
    assert len(tried) <= 4
