from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from compresskit.engine.editing import Array, GraphEditor
from compresskit.engine.masks import MASKED, Masks

# What a query may read, of (1, 1, length, 1) queries and (1, 1, 1, length) keys, besides padding.
RULES = {
    "none": ("GreaterOrEqual", "keys", 0),
    "causal": ("GreaterOrEqual", "difference", 0),
    "window": ("LessOrEqual", "distance", 64),
    "causal window": ("Less", "difference", 4096),
}


def graph_with(rule: str) -> ModelProto:
    """An Attention whose mask is padding and a rule; its queries, keys and values do not matter."""
    op_type, compared, limit = RULES[rule]
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["present"], to=TensorProto.BOOL),
        helper.make_node("Unsqueeze", ["present", "axes"], ["padding"]),
        helper.make_node("Shape", ["attention_mask"], ["length_1d"], start=1, end=2),
        helper.make_node("Squeeze", ["length_1d"], ["length"]),
        helper.make_node("Range", ["zero", "length", "one"], ["range"]),
        helper.make_node("Unsqueeze", ["range", "key_axes"], ["keys"]),
        helper.make_node("Unsqueeze", ["range", "query_axes"], ["queries"]),
        helper.make_node("Sub", ["queries", "keys"], ["difference"]),
        helper.make_node("Abs", ["difference"], ["distance"]),
        helper.make_node(op_type, [compared, "limit"], ["allowed"]),
        helper.make_node("And", ["allowed", "padding"], ["mask"]),
        helper.make_node("Attention", ["x", "x", "x", "mask"], ["y"]),
    ]
    constants = {"axes": [1, 2], "key_axes": [0, 1, 2], "query_axes": [0, 1, 3]} | {
        "zero": 0,
        "one": 1,
        "limit": limit,
    }
    graph = helper.make_graph(
        nodes,
        rule,
        [helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "length"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)])


def added(rule: str, mask: Array) -> Array:
    """What is added to the scores of texts with this attention mask."""
    editor = GraphEditor(graph_with(rule))
    (attention,) = editor.of_type("Attention")
    name = Masks(editor).additive(attention)
    editor.remove(attention)
    part = ModelProto(ir_version=10, opset_import=editor.model.opset_import)
    part.graph.CopyFrom(editor.graph)
    del part.graph.node[:], part.graph.output[:], part.graph.initializer[:]
    part.graph.node.extend(editor.nodes)
    part.graph.initializer.extend(editor.initializers.values())
    part.graph.output.add(name=name)
    (value,) = onnx.reference.ReferenceEvaluator(part).run(None, {"attention_mask": mask})
    return np.asarray(value)


def test_padding_is_one_row_for_all_queries() -> None:
    mask = np.array([[1, 1, 1], [0, 1, 0]])
    assert np.array_equal(added("none", mask), np.where(mask, 0, MASKED)[:, None, None, :])


@pytest.mark.parametrize("rule", ["causal", "window", "causal window"])
def test_what_tells_queries_apart_is_kept(rule: str) -> None:
    """Windows are wider than the texts that a mask is looked at with, and yet they are seen."""
    mask = np.ones((2, 150), dtype=np.int64)
    mask[1, :7] = 0
    queries, keys = np.indices((150, 150))
    allowed = {"causal": queries >= keys, "window": abs(queries - keys) <= 64}.get(
        rule, queries - keys < 4096
    )
    wanted = np.where(allowed & mask.astype(bool)[:, None, None, :], 0, MASKED)
    found = added(rule, mask)
    assert found.shape == (2, 1, 150, 150)
    assert np.array_equal(found, wanted)


def test_attentions_with_one_mask_share_what_is_added() -> None:
    model = graph_with("window")
    model.graph.node.append(helper.make_node("Attention", ["y", "y", "y", "mask"], ["z"]))
    model.graph.node.append(helper.make_node("Attention", ["z", "z", "z"], ["w"]))
    editor = GraphEditor(model)
    masks = Masks(editor)
    first, second, third = (masks.additive(node) for node in editor.of_type("Attention"))
    assert first == second
    assert third == ""
    assert len(editor.of_type("Where")) == 1
