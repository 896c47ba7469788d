"""The plain graph: torch's export in operators that every runtime has, free of dense sizes.

Torch writes the number of heads into shape constants that layers share, and computes the mask by
indexing. Here every layer stands for itself: `Reshape` copies batch and length and infers the
heads, attention is two MatMuls and a Softmax (opset 20), and the mask is one addition. What is
left can be cut layer by layer; `variants` rewrites it into what runs fastest on a device.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from compresskit.engine.editing import GraphEditor, attributes_of, set_opset
from compresskit.errors import EngineError

OPSET = 20  # the first with Gelu; nothing newer is used
MASK = "attention_bias"
SPLIT_HEADS = "split_heads"
MERGE_HEADS = "merge_heads"
# Masked scores: exp() of it is exactly 0 in fp32, and it is finite in fp16.
MASKED = -10000.0


def canonicalize(model: ModelProto) -> ModelProto:
    """Bring an opset 23 export of an encoder into the plain form, in place."""
    editor = GraphEditor(model)
    attentions = editor.of_type("Attention")
    mask = _additive_mask(editor) if attentions else ""
    for node in attentions:
        _write_out(editor, node, mask)
    _drop_zero_additions(editor)
    editor.finish()
    _name_nodes(model)
    _clean(model)
    set_opset(model, OPSET)
    return model


def _additive_mask(editor: GraphEditor) -> str:
    """0 where a key may be read and `MASKED` elsewhere, of shape (batch, 1, 1, length)."""
    first = editor.nodes[0]
    axes = editor.add_constant("mask_axes", np.array([1, 2], dtype=np.int64))
    one = editor.add_constant("mask_one", np.array(1.0, dtype=np.float32))
    factor = editor.add_constant("mask_factor", np.array(MASKED, dtype=np.float32))
    names = [editor.fresh(stem) for stem in ("mask_float", "mask_inverse", "mask_scaled", MASK)]
    editor.add("Cast", ["attention_mask"], names[:1], before=first, name="mask/Cast", to=TensorProto.FLOAT)
    editor.add("Sub", [one, names[0]], [names[1]], before=first, name="mask/Sub")
    editor.add("Mul", [names[1], factor], [names[2]], before=first, name="mask/Mul")
    editor.add("Unsqueeze", [names[2], axes], [names[3]], before=first, name="mask/Unsqueeze")
    return names[3]


def _write_out(editor: GraphEditor, node: NodeProto, mask: str) -> None:
    """Put MatMul, Add, Softmax, MatMul in place of an Attention node of the exporter."""
    if len(node.input) < 4 or attributes_of(node).get("is_causal", 0):
        raise EngineError(f"attention node {node.name!r} has no padding mask; only encoders are supported.")
    transposes = [editor.producer[value] for value in node.input[:3]]
    reshapes = [editor.producer[transpose.input[0]] for transpose in transposes]
    last = editor.only_use(node.output[0])
    if last is not None and last.op_type == "Reshape":  # to its own shape, where one head is left
        editor.redirect(last.output[0], node.output[0])
        editor.remove(last)
        last = editor.only_use(node.output[0])
    merge = None if last is None else editor.only_use(last.output[0])
    if any(reshape.op_type != "Reshape" for reshape in reshapes) or (
        merge is None or merge.op_type != "Reshape"
    ):
        raise EngineError(f"attention node {node.name!r} is not surrounded by Reshape and Transpose.")
    head_size = _last_dimension(editor, reshapes[0])
    for reshape in reshapes:
        _set_shape(editor, reshape, SPLIT_HEADS, [0, 0, -1, head_size])
    _set_shape(editor, merge, MERGE_HEADS, [0, 0, -1])
    # Keys as (batch, heads, head size, length): no second transposition before the product.
    del transposes[1].attribute[:]
    transposes[1].attribute.append(helper.make_attribute("perm", [0, 2, 3, 1]))
    scale = attributes_of(node).get("scale", head_size**-0.5)
    factor = editor.add_constant("scale", np.array(scale, dtype=np.float32), shared=True)
    query, key, value = node.input[:3]
    names = [editor.fresh(f"{node.output[0]}_{part}") for part in ("query", "scores", "masked", "weights")]
    for op_type, inputs, output in (
        ("Mul", [query, factor], names[0]),
        ("MatMul", [names[0], key], names[1]),
        ("Add", [names[1], mask], names[2]),
        ("Softmax", [names[2]], names[3]),
        ("MatMul", [names[3], value], node.output[0]),
    ):
        attributes: dict[str, Any] = {"axis": -1} if op_type == "Softmax" else {}
        added = editor.add(op_type, inputs, [output], before=node, **attributes)
        added.metadata_props.extend(node.metadata_props)
    editor.remove(node)
    editor.producer[node.output[0]] = added


def _last_dimension(editor: GraphEditor, reshape: NodeProto) -> int:
    """Head size: the last element of the shape that `reshape` reads."""
    constant = editor.constant(reshape.input[1])
    if constant is None:
        constant = editor.constant(editor.producer[reshape.input[1]].input[-1])
    assert constant is not None
    return int(constant.reshape(-1)[-1])


def _set_shape(editor: GraphEditor, reshape: NodeProto, stem: str, shape: list[int]) -> None:
    old = reshape.input[1]
    reshape.input[1] = editor.add_constant(stem, np.array(shape, dtype=np.int64), shared=True)
    editor.consumers[old] = [use for use in editor.uses(old) if use is not reshape]
    del reshape.attribute[:]  # allowzero would forbid copying a dimension by 0


def _drop_zero_additions(editor: GraphEditor) -> None:
    """`x + 0.0` is what an absent sub-layer leaves where the layer itself adds the residual."""
    for node in editor.of_type("Add"):
        for zero, other in (node.input, reversed(node.input)):
            value = editor.constant(zero)
            if value is not None and value.size == 1 and value.dtype.kind == "f" and not value.any():
                editor.redirect(node.output[0], other)
                break


def _name_nodes(model: ModelProto) -> None:
    """Name nodes `module/Operator`, unique; drop torch's long metadata."""
    seen: dict[str, int] = {}
    for node in model.graph.node:
        scopes = next(
            (item.value for item in node.metadata_props if item.key == "pkg.torch.onnx.name_scopes"), None
        )
        if scopes is not None:
            modules = re.findall(r"'([^']*)'", scopes)[:-1]
            module = modules[-1] if modules else ""
            node.name = f"{module}/{node.op_type}" if module else node.op_type
        count = seen.get(node.name, 0)
        seen[node.name] = count + 1
        if count:
            node.name = f"{node.name}_{count}"
        del node.metadata_props[:]
        node.doc_string = ""


def _clean(model: ModelProto) -> None:
    graph = model.graph
    for value in (*graph.input, *graph.output, *graph.initializer):
        del value.metadata_props[:]
        value.doc_string = ""
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        for dim, name in zip(dims, ("batch", "length"), strict=True):
            dim.Clear()
            dim.dim_param = name
    for value in graph.output:
        value.type.tensor_type.shape.dim[0].Clear()
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del graph.value_info[:]
    del model.functions[:]
    del model.metadata_props[:]
    del graph.metadata_props[:]
    graph.name, graph.doc_string, model.doc_string = "encoder", "", ""
    model.producer_name, model.producer_version = "compresskit", ""
    used = {node.domain for node in graph.node} | {""}
    kept = [(item.domain, item.version) for item in model.opset_import if item.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in kept)
