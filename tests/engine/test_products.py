"""Attention in products: a bias of scores that layers share, of which each takes its own heads."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from compresskit.engine.canonical import canonicalize
from compresskit.engine.editing import GraphEditor, attributes_of
from compresskit.engine.masks import Masks
from compresskit.engine.products import join_products

HEADS, SIZE = 3, 2
OWN = ([2, 0], [1])  # heads of each layer
FLOAT = TensorProto.FLOAT


def node(op_type: str, inputs: str, output: str, **attributes: Any) -> Any:
    return helper.make_node(op_type, inputs.split(), [output], **attributes)


def layer(place: int, source: str, *, perm: list[int], scaled: str) -> list[Any]:
    """What torch makes of `softmax(q k^T / scale + bias + mask) v`; keys are turned in one step or in two."""
    p = f"l{place}_"
    nodes = []
    for part in "qkv":
        nodes += [
            node("MatMul", f"{source} {p}w{part}", f"{p}{part}"),
            node("Concat", f"rows columns {p}heads size", f"{p}{part}_shape", axis=0),
            node("Reshape", f"{p}{part} {p}{part}_shape", f"{p}{part}_split"),
        ]
        turned = perm if part == "k" else [0, 2, 1, 3]
        nodes.append(node("Transpose", f"{p}{part}_split", f"{p}{part}_heads", perm=turned))
    if perm == [0, 2, 1, 3]:
        nodes.append(node("Transpose", f"{p}k_heads", f"{p}k_turned", perm=[0, 1, 3, 2]))
    keys = f"{p}k_turned" if perm == [0, 2, 1, 3] else f"{p}k_heads"
    return [
        *nodes,
        node("MatMul", f"{p}q_heads {keys}", f"{p}product"),
        node(scaled, f"{p}product {scaled}", f"{p}scaled"),
        node("Gather", f"bias {p}own", f"{p}bias", axis=1),
        node("Add", f"{p}scaled {p}bias", f"{p}biased"),
        node("Add", f"{p}biased mask", f"{p}masked"),
        node("Softmax", f"{p}masked", f"{p}weights", axis=-1),
        node("MatMul", f"{p}weights {p}v_heads", f"{p}context"),
        node("Transpose", f"{p}context", f"{p}joined", perm=[0, 2, 1, 3]),
        node("Concat", f"rows columns {p}width", f"{p}merged_shape", axis=0),
        node("Reshape", f"{p}joined {p}merged_shape", f"{p}merged"),
        node("MatMul", f"{p}merged {p}wo", f"{p}out"),
    ]


@pytest.fixture
def graph() -> ModelProto:
    """Two layers of other heads and scales; bias and mask are float, as eager attention has them."""
    rng = np.random.default_rng(0)
    nodes = [
        node("Gather", "words input_ids", "x"),
        node("Shape", "input_ids", "shape"),
        node("Shape", "input_ids", "rows", start=0, end=1),
        node("Shape", "input_ids", "columns", start=1, end=2),
        node("Gather", "shape one", "length", axis=0),
        node("Range", "zero length one", "range"),
        node("Unsqueeze", "range axis_0", "keys"),
        node("Unsqueeze", "range axis_1", "queries"),
        node("Sub", "keys queries", "distance"),
        node("Mod", "distance buckets", "bucket"),
        node("Gather", "table bucket", "looked_up"),
        node("Transpose", "looked_up", "by_head", perm=[2, 0, 1]),
        node("Unsqueeze", "by_head axis_0", "one_bias"),
        node("Concat", "rows ones", "wide", axis=0),
        node("Expand", "one_bias wide", "bias"),
        node("Cast", "attention_mask", "present", to=TensorProto.BOOL),
        node("Unsqueeze", "present axes_1_2", "present_4d"),
        node("Where", "present_4d nothing least", "mask"),
        *layer(0, "x", perm=[0, 2, 3, 1], scaled="Div"),
        *layer(1, "l0_out", perm=[0, 2, 1, 3], scaled="Mul"),
        node("ReduceMean", "l1_out axis_1", "logits", keepdims=0),
    ]
    integers: dict[str, Any] = {"zero": 0, "one": 1, "axis_0": [0], "axis_1": [1], "axes_1_2": [1, 2]}
    integers |= {"buckets": 5, "ones": [1, 1, 1], "size": [SIZE]}
    weights: dict[str, Any] = {"words": rng.normal(size=(20, 4)), "table": rng.normal(size=(5, HEADS))}
    weights |= {"nothing": 0.0, "least": np.finfo(np.float32).min, "Div": 1.5, "Mul": 0.5}
    for place, own in enumerate(OWN):
        width = len(own) * SIZE
        integers |= {f"l{place}_own": own, f"l{place}_heads": [len(own)], f"l{place}_width": [width]}
        weights |= {f"l{place}_w{part}": rng.normal(size=(4, width)) for part in "qkv"}
        weights[f"l{place}_wo"] = rng.normal(size=(width, 4))
    held = [numpy_helper.from_array(np.array(v, np.int64), name) for name, v in integers.items()]
    held += [numpy_helper.from_array(np.array(v, np.float32), name) for name, v in weights.items()]
    names = ("input_ids", "attention_mask")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in names]
    outputs = [helper.make_tensor_value_info("logits", FLOAT, ["batch", 4])]
    made = helper.make_graph(nodes, "products", inputs, outputs, held)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)


def logits(model: ModelProto, rows: int, length: int) -> Any:
    rng = np.random.default_rng(length)
    mask = (np.arange(length) < length - np.arange(rows)[:, None]).astype(np.int64)
    feed = {"input_ids": rng.integers(0, 20, (rows, length)), "attention_mask": mask}
    return ReferenceEvaluator(model).run(None, feed)[0]


def test_products_become_attention_and_compute_the_same(graph: ModelProto) -> None:
    plain = canonicalize(deepcopy(graph))
    for rows, length in ((1, 3), (3, 7), (2, 30)):
        np.testing.assert_allclose(logits(plain, rows, length), logits(graph, rows, length), atol=1e-5)


def test_bias_and_mask_are_added_once_and_layers_take_their_heads(graph: ModelProto) -> None:
    editor = GraphEditor(graph)
    join_products(editor, Masks(editor))
    first, second = editor.of_type("Attention")
    assert [attributes_of(each)["scale"] for each in (first, second)] == pytest.approx([1 / 1.5, 0.5])
    taken = [editor.producer[each.input[3]] for each in (first, second)]
    assert taken[0].input[0] == taken[1].input[0]
    assert [each.input[1] for each in taken] == ["l0_own", "l1_own"]
    total = editor.producer[taken[0].input[0]]
    assert total.op_type == "Add" and list(total.input) == ["one_bias", "attention_bias"]
    assert not editor.of_type("Softmax")


def test_other_products_stay(graph: ModelProto) -> None:
    """A Softmax of something else than scores, such as of a head, is no attention."""
    editor = GraphEditor(graph)
    (last,) = [each for each in editor.nodes if each.output[0] == "logits"]
    last.output[0] = "mean"
    editor.add("Softmax", ["mean"], ["logits"], before=last, axis=-1)
    join_products(editor, Masks(editor))
    assert len(editor.of_type("Softmax")) == 1 and len(editor.of_type("Attention")) == 2
