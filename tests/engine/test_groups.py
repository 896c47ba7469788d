"""Attention over groups of queries: keys and values are not repeated, and no number of groups is left."""

from __future__ import annotations

from collections import Counter

from onnx import ModelProto, numpy_helper
from torch import nn

from compresskit.engine.canonical import SPLIT_HEADS
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.pruning.extract import extract
from compresskit.supernet.surgery import blueprint_of
from tests.engine.models import ARCHITECTURES, make_model


def test_keys_are_not_repeated() -> None:
    graph = export_onnx(make_model("qwen3")).graph
    producer = {name: node for node in graph.node for name in node.output}
    softmax = [node for node in graph.node if node.op_type == "Softmax"]
    assert len(softmax) == 3
    for node in softmax:
        masked = producer[node.input[0]]
        scores = producer[masked.input[0]]
        assert (masked.op_type, scores.op_type) == ("Add", "MatMul")
        keys = producer[scores.input[1]]
        assert keys.op_type == "Transpose"
        assert list(keys.attribute[0].ints) == [0, 1, 2, 4, 3]
    shapes = [
        numpy_helper.to_array(item).tolist()
        for item in graph.initializer
        if item.name.startswith(SPLIT_HEADS)
    ]
    assert {tuple(shape) for shape in shapes} == {(0, 0, -1, 1, 8), (0, 0, -1, 2, 8)}


def test_one_query_to_a_key_has_no_groups() -> None:
    graph = export_onnx(make_model("llama")).graph
    shapes = [numpy_helper.to_array(item) for item in graph.initializer if item.name.startswith(SPLIT_HEADS)]
    assert {tuple(shape.tolist()) for shape in shapes} == {(0, 0, -1, 8)}


def test_what_an_absent_sub_layer_adds_is_left_out() -> None:
    model = make_model("llama")
    fresh = export_onnx(extract(model, ARCHITECTURES["without parts"]).eval())
    kinds = [Counter(node.op_type for node in graph.graph.node) for graph in (fresh, _sliced(model))]
    assert kinds[0] == kinds[1]
    assert kinds[0]["ConstantOfShape"] == 0


def _sliced(model: nn.Module) -> ModelProto:
    slicer = GraphSlicer(export_onnx(model), blueprint_of(model))
    return slicer.slice(ARCHITECTURES["without parts"])
