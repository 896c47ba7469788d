"""Graphs that tests send: an honest one, and those that must not get through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import AttributeProto, NodeProto, TensorProto, helper, numpy_helper

WIDTH = 16
VOCABULARY = 400


def text_graph(*, width: int = WIDTH, opset: int = 17, ir_version: int = 8, seed: int = 0) -> onnx.ModelProto:
    """A table look-up and a product over (batch, length) tokens; both weights are large enough to strip."""
    rng = np.random.default_rng(seed)
    table = numpy_helper.from_array(rng.normal(0.5, 0.02, (VOCABULARY, width)).astype(np.float32), "table")
    weight = numpy_helper.from_array(rng.normal(0, 0.1, (width, 320)).astype(np.float32), "weight")
    bias = numpy_helper.from_array(rng.normal(0, 1, 320).astype(np.float32), "bias")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
    ]
    return graph_of(nodes, [table, weight, bias], opset=opset, ir_version=ir_version)


def graph_of(
    nodes: Sequence[NodeProto],
    initializers: Sequence[TensorProto] = (),
    *,
    opset: int = 17,
    ir_version: int = 8,
    domains: Sequence[str] = (),
) -> onnx.ModelProto:
    """A model of `nodes` from input_ids (batch, length) to logits."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)],
        initializers,
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(name, 1) for name in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir_version)


def terabyte() -> onnx.ModelProto:
    """1 TB of weights, declared in less than 1 kB."""
    light = graph_of(
        [helper.make_node("Gather", ["table", "input_ids"], ["logits"])],
        [TensorProto(name="table", data_type=TensorProto.FLOAT, dims=[1 << 20, 1 << 18])],
    )
    light.metadata_props.add(key="compresskit.weights", value='{"seed": 0, "scales": {"table": [0.0, 0.02]}}')
    return light


def bomb(*sizes: int) -> onnx.ModelProto:
    """A graph that makes a tensor of `sizes` out of nothing, and needs it."""
    shape = numpy_helper.from_array(np.asarray(sizes, np.int64), "shape")
    return graph_of(
        [
            helper.make_node("ConstantOfShape", ["shape"], ["filled"]),
            helper.make_node("Cast", ["input_ids"], ["tokens"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["tokens"], ["sum"], keepdims=0),
            helper.make_node("Add", ["filled", "sum"], ["grown"]),
            helper.make_node("ReduceMean", ["grown"], ["logits"], keepdims=0),
        ],
        [shape],
    )


def never_ending(nodes: int = 4000, size: int = 2048) -> onnx.ModelProto:
    """A chain of products of listed operators that takes minutes for one run."""
    shape = numpy_helper.from_array(np.asarray([size, size], np.int64), "shape")
    chain = [
        helper.make_node("Cast", ["input_ids"], ["tokens"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["tokens"], ["mean"], keepdims=0),
        helper.make_node("Expand", ["mean", "shape"], ["value0"]),
    ]
    for number in range(nodes):
        chain.append(helper.make_node("MatMul", [f"value{number}", f"value{number}"], [f"wide{number}"]))
        chain.append(helper.make_node("Tanh", [f"wide{number}"], [f"value{number + 1}"]))
    return graph_of([*chain, helper.make_node("Identity", [f"value{nodes}"], ["logits"])], [shape])


def endless_loop() -> onnx.ModelProto:
    """A Loop whose condition stays true."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["on_still"])],
        "body",
        [
            helper.make_tensor_value_info("count", TensorProto.INT64, []),
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("on_still", TensorProto.BOOL, [])],
    )
    most = numpy_helper.from_array(np.asarray(2**62, np.int64), "most")
    start = numpy_helper.from_array(np.asarray(True), "start")
    cast = helper.make_node("Cast", ["input_ids"], ["logits"], to=TensorProto.FLOAT)
    return graph_of([helper.make_node("Loop", ["most", "start"], [], body=body), cast], [most, start])


def outside(name: str = "table", location: str = "/etc/passwd") -> TensorProto:
    """A tensor whose data is said to lie in a file of the system."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4, 4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def outside_data() -> onnx.ModelProto:
    return graph_of([helper.make_node("Gather", ["table", "input_ids"], ["logits"])], [outside()])


def outside_attribute() -> onnx.ModelProto:
    constant = helper.make_node("Constant", [], ["table"])
    constant.attribute.append(AttributeProto(name="value", type=AttributeProto.TENSOR, t=outside()))
    return graph_of([constant, helper.make_node("Gather", ["table", "input_ids"], ["logits"])])


def outside_subgraph(op_type: str = "If") -> onnx.ModelProto:
    """External data of an initializer inside a subgraph, under a listed or an unlisted operator."""
    inner = helper.make_graph(
        [helper.make_node("Identity", ["table"], ["out"])],
        "inner",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [outside()],
    )
    node = helper.make_node(op_type, ["input_ids"], ["logits"])
    for name in ("then_branch", "else_branch"):
        node.attribute.append(AttributeProto(name=name, type=AttributeProto.GRAPH, g=inner))
    return graph_of([node])


def outside_sparse() -> onnx.ModelProto:
    model = text_graph()
    model.graph.sparse_initializer.add().values.CopyFrom(outside())
    return model


def custom_domain() -> onnx.ModelProto:
    node = helper.make_node("Anything", ["input_ids"], ["logits"], domain="evil.example")
    return graph_of([node], domains=["evil.example"])


def compiled_context() -> onnx.ModelProto:
    node = helper.make_node(
        "EPContext", ["input_ids"], ["logits"], domain="com.microsoft", ep_cache_context="/etc/passwd"
    )
    return graph_of([node], domains=["com.microsoft"])


def local_function() -> onnx.ModelProto:
    model = graph_of([helper.make_node("Inner", ["input_ids"], ["logits"], domain="com.microsoft")])
    model.functions.append(
        helper.make_function(
            "com.microsoft", "Inner", ["x"], ["y"], [helper.make_node("Loop", ["x"], ["y"])], []
        )
    )
    return model


def missing_values() -> onnx.ModelProto:
    """A weight without values that no record says was stripped."""
    empty = TensorProto(name="table", data_type=TensorProto.FLOAT, dims=[1000, 1000])
    return graph_of([helper.make_node("Gather", ["table", "input_ids"], ["logits"])], [empty])


def pooled_graph(batch: int | None = None, length: int | None = None) -> onnx.ModelProto:
    """A classifier of 5 labels over the mean of the tokens that its mask leaves; sizes open or fixed."""
    rng = np.random.default_rng(0)
    table = numpy_helper.from_array(rng.normal(0, 1, (VOCABULARY, WIDTH)).astype(np.float32), "table")
    weight = numpy_helper.from_array(rng.normal(0, 1, (WIDTH, 5)).astype(np.float32), "weight")
    axes = {
        "last": numpy_helper.from_array(np.asarray([2], np.int64), "last"),
        "tokens": numpy_helper.from_array(np.asarray([1], np.int64), "tokens"),
    }
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["hidden"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask_wide"]),
        helper.make_node("Mul", ["hidden", "mask_wide"], ["seen"]),
        helper.make_node("ReduceSum", ["seen", "tokens"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask", "tokens"], ["count"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("MatMul", ["mean", "weight"], ["logits"]),
    ]
    model = graph_of(nodes, [table, weight, *axes.values()])
    size = [batch or "batch", length or "length"]
    del model.graph.input[:]
    for name in ("input_ids", "attention_mask"):
        model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.INT64, size))
    return model


def positioned_graph() -> onnx.ModelProto:
    """A classifier of 4 labels over products of tokens and positions, both of them inputs."""
    rng = np.random.default_rng(0)
    tables = [
        numpy_helper.from_array(rng.normal(0, 1, (VOCABULARY, 4)).astype(np.float32), name)
        for name in ("words", "places")
    ]
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["word"]),
        helper.make_node("Gather", ["places", "position_ids"], ["place"]),
        helper.make_node("Mul", ["word", "place"], ["product"]),
        helper.make_node("ReduceMean", ["product"], ["logits"], axes=[1], keepdims=0),
    ]
    model = graph_of(nodes, tables)
    model.graph.input.append(
        helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["batch", "length"])
    )
    return model


def summed_graph() -> onnx.ModelProto:
    """The sum of the ids of each of several texts a row: (batch, choices)."""
    last = numpy_helper.from_array(np.asarray([2], np.int64), "last")
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["tokens"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["tokens", "last"], ["logits"], keepdims=0),
    ]
    model = graph_of(nodes, [last])
    axes = ["batch", "choices", "length"]
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("input_ids", TensorProto.INT64, axes))
    return model


def feed_of(tokens: Sequence[int]) -> dict[str, npt.NDArray[np.int64]]:
    """One row as `pooled_graph` takes it."""
    return {
        "input_ids": np.asarray([tokens], np.int64),
        "attention_mask": np.ones((1, len(tokens)), np.int64),
    }
