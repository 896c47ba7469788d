"""The plain graph: torch's export in operators that every runtime has, free of dense sizes.

Torch writes the number of heads into shape constants that layers share, and computes the mask by
indexing. Here every layer stands for itself: `Reshape` copies batch and length and infers the
heads, attention is two MatMuls and a Softmax (opset 20), each with its own mask as one addition,
and rotations are written out. What is left can be cut layer by layer; `variants` rewrites it into
what runs fastest on a device.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from compresskit.engine.distances import join_distances
from compresskit.engine.editing import GraphEditor, attributes_of, set_opset, set_perm
from compresskit.engine.groups import Groups
from compresskit.engine.masks import Masks
from compresskit.engine.norms import write_out_norm
from compresskit.engine.positions import Rotations, count_positions
from compresskit.engine.products import join_products
from compresskit.errors import EngineError

OPSET = 20  # the first with Gelu; nothing newer is used
SPLIT_HEADS = "split_heads"
MERGE_HEADS = "merge_heads"


def canonicalize(
    model: ModelProto, axes: Sequence[str] = ("batch", "length"), rotation_factor: float = 1.0
) -> ModelProto:
    """Bring an opset 23 export of an encoder into the plain form, in place.

    `axes`: of each of its inputs. `rotation_factor`: what rotated queries and keys are multiplied with.
    """
    editor = GraphEditor(model)
    count_positions(editor)
    _turn_weights(editor)
    masks, groups, rotations = Masks(editor), Groups(editor), Rotations(editor, rotation_factor)
    join_distances(editor, masks)
    join_products(editor, masks)
    for node in editor.of_type("Attention"):
        _write_out(editor, node, masks.additive(node), groups)
    for node in editor.of_type("RotaryEmbedding"):
        rotations.write_out(node)
    for node in editor.of_type("RMSNormalization"):
        write_out_norm(editor, node)
    _drop_zero_additions(editor)
    editor.finish()
    _name_nodes(model)
    _clean(model, axes)
    set_opset(model, OPSET)
    return model


def _turn_weights(editor: GraphEditor) -> None:
    """Store weights of several products as these read them; the exporter turns those of one product alone."""
    for node in editor.of_type("Transpose"):
        weight = editor.initializers.get(node.input[0])
        if weight is None or len(weight.dims) != 2 or len(editor.uses(weight.name)) != 1:
            continue
        turned = numpy_helper.to_array(weight).T
        weight.raw_data = turned.tobytes()  # in C order
        weight.dims[:] = turned.shape
        editor.remove(node)
        editor.redirect(node.output[0], weight.name)


def _write_out(editor: GraphEditor, node: NodeProto, mask: str, groups: Groups) -> None:
    """Put MatMul, Add, Softmax, MatMul in place of an Attention node of the exporter."""
    if attributes_of(node).get("is_causal", 0) or attributes_of(node).get("softcap", 0.0):
        raise EngineError(f"attention node {node.name!r} is of a kind that is not known.")
    queries = groups.undo_repeats(node)
    splits = [_split_before(editor, value) for value in node.input[:3]]
    last = editor.only_use(node.output[0])
    if last is not None and last.op_type == "Reshape":  # to its own shape, where one head is left
        editor.redirect(last.output[0], node.output[0])
        editor.remove(last)
        last = editor.only_use(node.output[0])
    merge = None if last is None else editor.only_use(last.output[0])
    if merge is None or merge.op_type != "Reshape":
        raise EngineError(f"attention node {node.name!r} is not followed by Transpose and Reshape.")
    head_size = _inner_shape(editor, splits[0])[-1]
    for split, members in zip(splits, (queries, 1, 1), strict=True):
        *stacked, _, size = _inner_shape(editor, split)
        heads = [-1] if queries == 1 else [-1, members]
        _set_shape(editor, split, SPLIT_HEADS, [0, 0, *stacked, *heads, size])
    if queries > 1:
        groups.widen(node, merge)
        mask = groups.mask(mask, node)
    _set_shape(editor, merge, MERGE_HEADS, [0, 0, -1])
    scale = attributes_of(node).get("scale", head_size**-0.5)
    factor = editor.add_constant("scale", np.array(scale, dtype=np.float32), shared=True)
    query, _, value = node.input[:3]
    parts = ("query", "scores", "masked" if mask else "", "weights")
    names = [editor.fresh(f"{node.output[0]}_{part}") if part else "" for part in parts]
    for op_type, inputs, output in (
        ("Mul", [query, factor], names[0]),
        ("MatMul", [names[0], _turned_keys(editor, node, queries)], names[1]),
        ("Add", [names[1], mask], names[2]),
        ("Softmax", [names[2] or names[1]], names[3]),
        ("MatMul", [names[3], value], node.output[0]),
    ):
        if not output:
            continue
        attributes: dict[str, Any] = {"axis": -1} if op_type == "Softmax" else {}
        added = editor.add(op_type, inputs, [output], before=node, **attributes)
        added.metadata_props.extend(node.metadata_props)
    editor.remove(node)
    editor.producer[node.output[0]] = added


def _split_before(editor: GraphEditor, value: str) -> NodeProto:
    """The Reshape that gave queries, keys or values their heads; what lies between leaves these alone."""
    node = editor.producer[value]
    while node.op_type in ("Transpose", "RotaryEmbedding", "RMSNormalization", "Squeeze", "Slice"):
        node = editor.producer[node.input[0]]
    if node.op_type != "Reshape":
        raise EngineError(f"the heads of {value!r} do not come from a Reshape, but from {node.op_type}.")
    return node


def _turned_keys(editor: GraphEditor, node: NodeProto, queries: int) -> str:
    """Keys as (batch, heads[, 1], head size, length), without a second transposition where one is there."""
    key: str = node.input[1]
    transpose = editor.producer[key]
    if transpose.op_type == "Transpose":
        *others, length, size = attributes_of(transpose)["perm"]
        set_perm(transpose, [*others, size, length])
        return key
    turned = editor.fresh(f"{key}_turned")
    perm = [0, 1, 3, 2] if queries == 1 else [0, 1, 2, 4, 3]
    added = editor.add("Transpose", [key], [turned], before=node, perm=perm)
    added.metadata_props.extend(node.metadata_props)
    return turned


def _inner_shape(editor: GraphEditor, reshape: NodeProto) -> list[int]:
    """What follows batch and length in the shape that `reshape` reads: [parts,] heads, head size."""
    constant = editor.constant(reshape.input[1])
    if constant is not None:
        return [int(size) for size in constant[2:]]
    parts = [editor.constant(name) for name in editor.producer[reshape.input[1]].input[2:]]
    found = [int(part.reshape(-1)[0]) for part in parts if part is not None]
    if len(found) != len(parts) or len(found) < 2:
        raise EngineError(f"the shape of {reshape.output[0]!r} is not known when the graph is made.")
    return found


def _set_shape(editor: GraphEditor, reshape: NodeProto, stem: str, shape: list[int]) -> None:
    old = reshape.input[1]
    reshape.input[1] = editor.add_constant(stem, np.array(shape, dtype=np.int64), shared=True)
    editor.consumers[old] = [use for use in editor.uses(old) if use is not reshape]
    del reshape.attribute[:]  # allowzero would forbid copying a dimension by 0


def _drop_zero_additions(editor: GraphEditor) -> None:
    """`x + 0.0` is what an absent sub-layer leaves where the layer itself adds the residual."""
    for node in editor.of_type("Add"):
        for zero, other in (node.input, reversed(node.input)):
            if _is_zero(editor, zero):
                editor.redirect(node.output[0], other)
                break


def _is_zero(editor: GraphEditor, name: str) -> bool:
    """Whether it is one number, 0.0: stored, or made by an operator of which that is the default."""
    value, node = editor.constant(name), editor.producer.get(name)
    if value is None and node is not None and node.op_type == "ConstantOfShape":
        shape = editor.constant(node.input[0])
        made = attributes_of(node).get("value")
        value = None if shape is None or shape.size else np.zeros((), np.float32)
        value = value if made is None or value is None else numpy_helper.to_array(made)
    return value is not None and value.size == 1 and value.dtype.kind == "f" and not value.any()


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


def _clean(model: ModelProto, axes: Sequence[str]) -> None:
    graph = model.graph
    for value in (*graph.input, *graph.output, *graph.initializer):
        del value.metadata_props[:]
        value.doc_string = ""
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        for dim, name in zip(dims, axes, strict=True):
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
