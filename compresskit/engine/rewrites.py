"""Rewrites of the plain graph that compute the same in fewer or cheaper operators."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto

from compresskit.engine.attention import CONTRIB, attention_blocks
from compresskit.engine.editing import GraphEditor, attributes_of, set_opset
from compresskit.engine.linear import Linear


def keep_first_token(model: ModelProto) -> ModelProto:
    """Behind the last attention, compute for the first token alone, the only one the head reads.

    Keys and values of the last layer with attention are still those of all tokens. A graph whose head reads
    more than the first token, or that gives all of them, is left as it is.
    """
    editor = GraphEditor(model)
    blocks = attention_blocks(editor)
    heads = [node for node in editor.of_type("Gather") if _takes_first_token(editor, node)]
    given = {item.name for item in model.graph.output}
    if any(node.input[0] in given or len(editor.uses(node.input[0])) > 1 for node in heads):
        return editor.finish()
    if not blocks or len(heads) != 1 or len(blocks) != len(editor.of_type("Softmax")):
        return editor.finish()
    query = blocks[-1].query
    stream = _before_norm(editor, query.source)
    added = (node for node in editor.uses(stream) if node.op_type in ("Add", "Sum"))
    residual = next((node for node in added if all(name in editor.producer for name in node.input)), None)
    if residual is None:
        return editor.finish()
    if not blocks[-1].masks_alike:
        masked = editor.consumers[blocks[-1].scores.output[0]][0]
        masked.input[1] = _first_of(editor, blocks[-1].mask, 2, masked)
    scaled = editor.producer[blocks[-1].scores.input[0]]
    readers = [(query.matmul, query.source), (residual, stream)]
    if editor.only_use(scaled.input[0]) is None:  # by distance, all queries are scored
        scaled.input[0] = _first_of(editor, scaled.input[0], 2, scaled)
        readers = readers[1:]
    firsts: dict[str, str] = {}
    for node, value in readers:
        if value not in firsts:
            firsts[value] = _first_of(editor, value, 1, node)
        for i, name in enumerate(node.input):
            if name == value:
                node.input[i] = firsts[value]
    return editor.finish()


def _before_norm(editor: GraphEditor, source: str) -> str:
    """What a norm reads whose result `source` nothing but queries, keys and values read; else `source`."""
    norm = editor.producer.get(source)
    if norm is None or norm.op_type != "LayerNormalization" or len(editor.uses(source)) != 3:
        return source
    return str(norm.input[0])


def _first_of(editor: GraphEditor, value: str, axis: int, before: NodeProto) -> str:
    """The first along an axis of `value`, which stays an axis."""
    first = editor.fresh("first_token")
    bounds = [
        editor.add_constant(f"first_token_{part}", np.array([number], dtype=np.int64), shared=True)
        for part, number in (("start", 0), ("end", 1), (f"axis_{axis}", axis))
    ]
    editor.add("Slice", [value, *bounds], [first], before=before, name=f"{first}/Slice{axis}")
    return first


def _takes_first_token(editor: GraphEditor, node: NodeProto) -> bool:
    index = editor.constant(node.input[1])
    return index is not None and index.shape == () and index == 0 and attributes_of(node).get("axis") == 1


def pack_projections(model: ModelProto) -> ModelProto:
    """One product for query, key and value where all read the same tokens, split afterwards."""
    editor = GraphEditor(model)
    for number, block in enumerate(attention_blocks(editor)):
        parts = list(block.linears) if block.is_square else [block.key, block.value]
        _pack(editor, parts, number)
    return editor.finish()


def _pack(editor: GraphEditor, parts: list[Linear], number: int) -> None:
    stem = f"attention.{number}.projections"
    weight = editor.add_constant(f"{stem}.weight", np.concatenate([part.weight for part in parts], axis=1))
    bias = editor.add_constant(f"{stem}.bias", np.concatenate([part.bias for part in parts]))
    sizes = editor.add_constant(f"{stem}.sizes", np.array([part.width for part in parts], dtype=np.int64))
    product, summed = editor.fresh(f"{stem}.product"), editor.fresh(f"{stem}.sum")
    outputs = [editor.fresh(f"{part.output}_packed") for part in parts]
    first = parts[0].matmul
    editor.add("MatMul", [parts[0].source, weight], [product], before=first, name=f"{stem}/MatMul")
    editor.add("Add", [product, bias], [summed], before=first, name=f"{stem}/Add")
    editor.add("Split", [summed, sizes], outputs, before=first, name=f"{stem}/Split", axis=-1)
    for part, output in zip(parts, outputs, strict=True):
        editor.redirect(part.output, output)


def keep_norms_apart(model: ModelProto) -> ModelProto:
    """Residuals added by Sum, which ONNX Runtime does not fuse into SkipLayerNormalization.

    Its CPU kernel for the fused operator is slower than its two parts.
    """
    return _add_by_sum(model, "LayerNormalization")


def keep_gelu_apart(model: ModelProto) -> ModelProto:
    """The bias before Gelu added by Sum, which ONNX Runtime does not fuse into BiasGelu."""
    return _add_by_sum(model, "Gelu")


def _add_by_sum(model: ModelProto, before: str) -> ModelProto:
    """Sum in place of each Add whose result an operator of type `before` reads."""
    editor = GraphEditor(model)
    for node in editor.of_type(before):
        add = editor.producer.get(node.input[0])
        if add is not None and add.op_type == "Add":
            add.op_type = "Sum"
            add.name = add.name.replace("Add", "Sum")
    return editor.finish()


def fuse_norms(model: ModelProto) -> ModelProto:
    """Residual and norm as com.microsoft SkipLayerNormalization: one kernel launch on a GPU."""
    editor = GraphEditor(model)
    for norm in editor.of_type("LayerNormalization"):
        add = editor.producer.get(norm.input[0])
        if add is None or add.op_type != "Add" or any(name not in editor.producer for name in add.input):
            continue
        if editor.only_use(add.output[0]) is None or len(norm.input) < 3:
            continue
        fused = editor.fresh(f"{norm.output[0]}_skip")
        editor.add(
            "SkipLayerNormalization",
            [*add.input, norm.input[1], norm.input[2]],
            [fused],
            before=norm,
            name=norm.name.replace("LayerNormalization", "SkipLayerNormalization"),
            domain=CONTRIB,
            epsilon=attributes_of(norm).get("epsilon", 1e-5),
        )
        editor.redirect(norm.output[0], fused)
    set_opset(model, 1, CONTRIB)
    return editor.finish()
