"""Tiny graphs to load and time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper


def chain(
    width: int = 16, depth: int = 2, vocabulary: int = 300, shape: tuple[str | int, ...] = ("b", "s")
) -> bytes:
    """Token ids, a table, then `depth` products of `width`."""
    return _chain(width, depth, vocabulary, shape).SerializeToString()  # type: ignore[no-any-return]


def _chain(width: int, depth: int, vocabulary: int, shape: tuple[str | int, ...]) -> ModelProto:
    rng = np.random.default_rng(0)
    weights = [numpy_helper.from_array(rng.standard_normal((vocabulary, width)).astype(np.float32), "table")]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["x0"])]
    for i in range(depth):
        matrix = (rng.standard_normal((width, width)) / width**0.5).astype(np.float32)
        weights.append(numpy_helper.from_array(matrix, f"w{i}"))
        nodes.append(helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"]))
    return model(nodes, weights, shape, f"x{depth}", (*shape, width))


def model(
    nodes: list[NodeProto],
    weights: list[TensorProto],
    shape: tuple[str | int, ...],
    output: str,
    output_shape: tuple[str | int, ...] | None,
) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, output_shape)],
        weights,
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def endless() -> bytes:
    """A loop that never ends."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["keep"], ["on"]), helper.make_node("Mul", ["v", "v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("keep", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [1]),
        ],
    )
    weights = [
        numpy_helper.from_array(np.array(2**62), "times"),
        numpy_helper.from_array(np.array(True), "yes"),
        numpy_helper.from_array(np.ones(1, np.float32), "one"),
    ]
    nodes = [helper.make_node("Loop", ["times", "yes", "one"], ["out"], body=body)]
    return model(nodes, weights, ("b", "s"), "out", (1,)).SerializeToString()  # type: ignore[no-any-return]


def hungry(count: int = 2**30) -> bytes:
    """A graph of a few bytes that asks for `count` floats."""
    value = numpy_helper.from_array(np.ones(1, np.float32))
    weights = [numpy_helper.from_array(np.array([1], np.int64), "axis")]
    nodes = [
        # The size hangs on the input, so that no optimizer folds it.
        helper.make_node("Shape", ["input_ids"], ["shape"]),
        helper.make_node("ReduceProd", ["shape"], ["n"], keepdims=1),
        helper.make_node("Mul", ["n", "count"], ["size"]),
        helper.make_node("ConstantOfShape", ["size"], ["big"], value=value),
        helper.make_node("ReduceSum", ["big"], ["out"], keepdims=1),
    ]
    weights.append(numpy_helper.from_array(np.array([count], np.int64), "count"))
    return model(nodes, weights, ("b", "s"), "out", (1,)).SerializeToString()  # type: ignore[no-any-return]


def written(folder: Path, data: bytes, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
