"""Parameters and multiply-accumulates, counted on the graph itself."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from math import prod

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

from compresskit.bundle.session import make_session
from compresskit.engine.editing import attributes_of
from compresskit.target.base import SessionSettings
from compresskit.target.graph import read_inputs
from compresskit.target.inputs import plan_feeds

_WEIGHTS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.INT8, TensorProto.UINT8}
# Values beside quantized weights: operator -> positions of scales and zero points.
_SCALES = {
    "DequantizeLinear": (1, 2),
    "QuantizeLinear": (1, 2),
    "MatMulInteger": (2, 3),
    "DynamicQuantizeMatMul": (2, 3),
}
_PRODUCTS = {
    "MatMul",
    "MatMulInteger",
    "FusedMatMul",
    "DynamicQuantizeMatMul",
    "Gemm",
    "FusedGemm",
    "Attention",
    "MultiHeadAttention",
    "Conv",
}
BUFFER = ".buffer"  # ends the names of constants that torch holds beside its parameters
Shape = tuple[int, ...]


def count_params(model: ModelProto) -> int:
    """Elements of all weights, quantized ones too; scales and scalars of the graph's own do not count."""
    beside = {
        node.input[i]
        for node in model.graph.node
        for i in _SCALES.get(node.op_type, ())
        if i < len(node.input)
    }
    weights = {item.name for item in model.graph.initializer if item.name not in beside}
    beside |= {
        name
        for node in model.graph.node
        if node.op_type in ("Mul", "Gather")
        for name in node.input
        if name in weights and name.endswith(".scale")
    }
    return sum(
        prod(item.dims)
        for item in model.graph.initializer
        if item.data_type in _WEIGHTS and item.dims and item.name not in beside
        if not item.name.endswith(BUFFER)
    )


def count_macs(model: ModelProto, batch: int, length: int, choices: int | None = None) -> int:
    """Multiply-accumulates of all products for `batch` rows of `length` tokens, each of so many `choices`.

    Shapes come from one run of the graph in ONNX Runtime; EngineError when it does not load there.
    """
    nodes = [node for node in model.graph.node if node.op_type in _PRODUCTS]
    shapes = shapes_of(model, nodes, batch, length, choices)
    return sum(_macs(node, shapes) for node in nodes)


def shapes_of(
    model: ModelProto, nodes: Sequence[NodeProto], batch: int, length: int, choices: int | None = None
) -> dict[str, Shape]:
    """Shapes of all weights and of what the nodes read and give, seen in a run.

    onnx's own inference knows no com.microsoft operators, and its propagation of shapes that are
    computed in the graph is not reliable.
    """
    shapes: dict[str, Shape] = {item.name: tuple(item.dims) for item in model.graph.initializer}
    watched = deepcopy(model)
    given = {item.name for item in (*model.graph.input, *model.graph.output)}
    names = sorted(
        {name for node in nodes for name in (*node.input[:2], *node.output) if name not in shapes} - given
    )
    watched.graph.output.extend(ValueInfoProto(name=name) for name in names)
    data = watched.SerializeToString()
    session = make_session(data, SessionSettings(optimization_level="disable"))
    sizes = {"batch": batch, "length": length} | ({} if choices is None else {"choices": choices})
    feeds = plan_feeds(read_inputs(data), sizes)
    feed = {item.name: np.zeros(item.shape, item.dtype) for item in feeds}
    names += [item.name for item in model.graph.output]
    found = dict(zip(names, session.run(names, feed), strict=True))
    return shapes | {name: value.shape for name, value in found.items()}


def _macs(node: NodeProto, shapes: dict[str, Shape]) -> int:
    match node.op_type:
        case "Gemm" | "FusedGemm":
            inner = shapes[node.input[0]][0 if attributes_of(node).get("transA") else 1]
            return prod(shapes[node.output[0]]) * inner
        case "Conv":
            return prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
        case "MultiHeadAttention":
            return 2 * prod(shapes[node.input[0]]) * shapes[node.input[1]][1]
        case "Attention" if node.domain == "com.microsoft":
            batch, length, width = shapes[node.output[0]]
            product = batch * length * prod(shapes[node.input[1]])
            return product + 2 * batch * length * length * width
        case "Attention":
            query, key = shapes[node.input[0]], shapes[node.input[1]]
            return 2 * prod(query) * key[-2]
    return prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
