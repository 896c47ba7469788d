"""Finds attention in the plain graph and replaces it by one operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto

from compresskit.engine.editing import GraphEditor, num_axes, set_opset
from compresskit.engine.linear import Linear, linear_before
from compresskit.engine.masks import MASK

CONTRIB = "com.microsoft"


@dataclass(frozen=True, eq=False)
class AttentionBlock:
    """What lies between the projections of one layer's attention and its output projection."""

    query: Linear  # outputs of shape (batch, length, heads * head size)
    key: Linear
    value: Linear
    scores: NodeProto
    mask: str  # added to the scores: padding, (batch, 1, 1, length), or a row for each query; "": nothing
    merge: NodeProto  # the Reshape that gives (batch, length, heads * head size) back
    scale: float
    head_size: int

    @property
    def num_heads(self) -> int:
        return self.query.width // self.head_size

    @property
    def is_square(self) -> bool:
        """Whether queries are those of all tokens."""
        return self.query.source == self.key.source

    @property
    def masks_alike(self) -> bool:
        """Whether the mask is the same for all queries."""
        return self.mask in ("", MASK)

    @property
    def linears(self) -> tuple[Linear, Linear, Linear]:
        return self.query, self.key, self.value


def attention_blocks(editor: GraphEditor) -> list[AttentionBlock]:
    """The attentions of a plain graph that are whole between their linear layers, in the order of layers.

    Others, with rotations or a fused projection, have no other form than the plain one.
    """
    return [block for node in editor.of_type("Softmax") if (block := _block(editor, node)) is not None]


def _block(editor: GraphEditor, softmax: NodeProto) -> AttentionBlock | None:
    before = editor.producer.get(softmax.input[0])
    context = editor.only_use(softmax.output[0])
    if before is None or context is None or context.op_type != "MatMul":
        return None
    is_masked = before.op_type == "Add"
    scores = editor.producer.get(before.input[0]) if is_masked else before
    scaled = None if scores is None else editor.producer.get(scores.input[0])
    if scores is None or scaled is None or (scores.op_type, scaled.op_type) != ("MatMul", "Mul"):
        return None
    factor = editor.constant(scaled.input[1])
    splits = [_split(editor, name) for name in (scaled.input[0], scores.input[1], context.input[1])]
    linears = [None if split is None else linear_before(editor, split.input[0]) for split in splits]
    turned = editor.only_use(context.output[0])
    merge = None if turned is None else editor.only_use(turned.output[0])
    if factor is None or merge is None or splits[0] is None or any(linear is None for linear in linears):
        return None
    shape = editor.constant(splits[0].input[1])
    assert shape is not None
    query, key, value = (linear for linear in linears if linear is not None)
    mask = before.input[1] if is_masked else ""
    return AttentionBlock(query, key, value, scores, mask, merge, float(factor), int(shape[-1]))


def _split(editor: GraphEditor, heads: str) -> NodeProto | None:
    """The Reshape that gives `heads`, behind a Transpose and nothing else."""
    turned = editor.producer.get(heads)
    split = None if turned is None else editor.producer.get(turned.input[0])
    if turned is None or split is None or (turned.op_type, split.op_type) != ("Transpose", "Reshape"):
        return None
    return split


def use_multi_head_attention(model: ModelProto) -> ModelProto:
    """com.microsoft MultiHeadAttention, which adds the biases of the projections itself."""
    editor = GraphEditor(model)
    for number, block in enumerate(attention_blocks(editor)):
        bias = _joined_bias(editor, block, number)
        products = [linear.product for linear in block.linears]
        _replace(editor, block, "MultiHeadAttention", [*products, bias, "", _mask(editor, block)])
    return _finish(editor)


def use_packed_attention(model: ModelProto) -> ModelProto:
    """com.microsoft Attention: the projections and their biases in one product.

    Where queries are fewer than keys it cannot serve, and MultiHeadAttention does.
    """
    editor = GraphEditor(model)
    for number, block in enumerate(attention_blocks(editor)):
        bias = _joined_bias(editor, block, number)
        mask = _mask(editor, block)
        if not block.is_square:
            products = [linear.product for linear in block.linears]
            _replace(editor, block, "MultiHeadAttention", [*products, bias, "", mask])
            continue
        weight = np.concatenate([linear.weight for linear in block.linears], axis=1)
        name = editor.add_constant(f"attention.{number}.weight", weight)
        _replace(
            editor,
            block,
            "Attention",
            [block.key.source, name, bias, "", "", mask],
            qkv_hidden_sizes=[linear.width for linear in block.linears],
        )
    return _finish(editor)


def use_onnx_attention(model: ModelProto) -> ModelProto:
    """The Attention operator of ONNX opset 23."""
    editor = GraphEditor(model)
    for block in attention_blocks(editor):
        old = block.merge.output[0]
        new = editor.fresh(f"{old}_attention")
        editor.add(
            "Attention",
            [*(linear.output for linear in block.linears), _mask(editor, block)],
            [new],
            before=block.merge,
            name=block.scores.name.replace("MatMul", "Attention"),
            q_num_heads=block.num_heads,
            kv_num_heads=block.num_heads,
            scale=block.scale,
        )
        editor.redirect(old, new)
    set_opset(model, 23)
    model.ir_version = max(model.ir_version, 10)
    return editor.finish()


def _joined_bias(editor: GraphEditor, block: AttentionBlock, number: int) -> str:
    bias = np.concatenate([linear.bias for linear in block.linears])
    return editor.add_constant(f"attention.{number}.bias", bias)


def _mask(editor: GraphEditor, block: AttentionBlock) -> str:
    """The mask with a row for each query, as the fused operators want it."""
    if not block.mask:
        return ""
    name = f"{block.mask}_square"
    if not block.is_square or not block.masks_alike:
        return block.mask
    if name in editor.producer:
        return name
    after = editor.nodes[editor.position(editor.producer[block.mask]) + 1]
    length, shape = editor.fresh("mask_length"), editor.fresh("mask_shape")
    one = editor.add_constant("mask_dims", np.ones(1, dtype=np.int64))
    tokens = editor.graph.input[0]
    last = num_axes(tokens)
    editor.add("Shape", [tokens.name], [length], before=after, name="mask/Shape", start=last - 1, end=last)
    editor.add("Concat", [one, one, length, one], [shape], before=after, name="mask/Concat", axis=0)
    editor.add("Expand", [block.mask, shape], [editor.fresh(name)], before=after, name="mask/Expand")
    return name


def _replace(
    editor: GraphEditor, block: AttentionBlock, op_type: str, inputs: list[str], **attributes: Any
) -> None:
    old = block.merge.output[0]
    new = editor.fresh(f"{old}_attention")
    editor.add(
        op_type,
        inputs,
        [new],
        before=block.merge,
        name=block.scores.name.replace("MatMul", op_type),
        domain=CONTRIB,
        num_heads=block.num_heads,
        scale=block.scale,
        **attributes,
    )
    editor.redirect(old, new)


def _finish(editor: GraphEditor) -> ModelProto:
    set_opset(editor.model, 1, CONTRIB)
    return editor.finish()
