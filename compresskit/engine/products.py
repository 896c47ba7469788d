"""Attention that torch wrote out in products, as one node: what torch makes of its fused kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnx import NodeProto

from compresskit.engine.editing import GraphEditor, attributes_of, set_perm
from compresskit.engine.masks import Masks

_HEADS_FIRST = [0, 2, 1, 3]  # of (batch, length, heads, head size)
_TURNED = [0, 2, 3, 1]


@dataclass(frozen=True)
class _Scores:
    """A product of queries and keys times `scale`, plus all that is `added`; `nodes` compute that."""

    product: NodeProto
    scale: float = 1.0
    added: tuple[str, ...] = ()
    nodes: tuple[NodeProto, ...] = ()


def join_products(editor: GraphEditor, masks: Masks) -> None:
    """Put an Attention node, as the exporter writes it, in place of each attention in products."""
    for softmax in editor.of_type("Softmax"):
        scores = _scores(editor, softmax.input[0])
        context = editor.only_use(softmax.output[0])
        if scores is None or context is None or context.op_type != "MatMul":
            continue
        key = _straight_keys(editor, scores.product.input[1])
        if key is None:
            continue
        inputs = [scores.product.input[0], key, context.input[1]]
        if scores.added:
            inputs.append(masks.sum_of(scores.added, softmax))
        joined = editor.add("Attention", inputs, context.output, before=context, scale=scores.scale)
        joined.metadata_props.extend(softmax.metadata_props)
        for node in (context, softmax, *scores.nodes):
            editor.remove(node)


def _scores(editor: GraphEditor, value: str) -> _Scores | None:
    """What `value` is, where it is scores; None where it is something else."""
    node = editor.producer.get(value)
    if node is None or editor.only_use(value) is None:
        return None
    if node.op_type == "MatMul":
        return _Scores(node, nodes=(node,))
    if node.op_type in ("Mul", "Div"):
        factor, found = editor.constant(node.input[1]), _scores(editor, node.input[0])
        if factor is None or factor.size != 1 or found is None or found.added:
            return None
        scale = float(factor.reshape(())) ** (1 if node.op_type == "Mul" else -1)
        return _Scores(found.product, found.scale * scale, nodes=(node, *found.nodes))
    if node.op_type == "Add":
        for scores, other in (tuple(node.input), tuple(node.input)[::-1]):
            if (found := _scores(editor, scores)) is not None:
                return _Scores(found.product, found.scale, (*found.added, other), (node, *found.nodes))
    return None


def _straight_keys(editor: GraphEditor, value: str) -> str | None:
    """Keys as (batch, heads, length, head size) that stand turned in a product; None where they do not."""
    node = editor.producer.get(value)
    if node is None or node.op_type != "Transpose" or editor.only_use(value) is None:
        return None
    turn: Sequence[int] = attributes_of(node)["perm"]
    if list(turn) == _TURNED:
        set_perm(node, _HEADS_FIRST)
        return value
    return str(node.input[0]) if list(turn) == [0, 1, 3, 2] else None
