"""Linear layers of a graph: a product with a weight, and the bias behind it, if any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import NodeProto, TensorProto

from compresskit.engine.editing import Array, GraphEditor


@dataclass(frozen=True, eq=False)
class Linear:
    """`product = source @ weight`, `output = product + bias`; weight of shape (in, out).

    Without a bias, `add` is None and the product is the output.
    """

    editor: GraphEditor
    matmul: NodeProto
    add: NodeProto | None
    bias_name: str
    width: int  # out

    @property
    def weight(self) -> Array:
        value = self.editor.constant(self.matmul.input[1])
        assert value is not None
        return value

    @property
    def bias(self) -> Array:
        """Zeros where there is none."""
        value = self.editor.constant(self.bias_name)
        return np.zeros(self.width, dtype=self.weight.dtype) if value is None else value

    @property
    def source(self) -> str:
        return str(self.matmul.input[0])

    @property
    def product(self) -> str:
        return str(self.matmul.output[0])

    @property
    def output(self) -> str:
        return str(self.matmul.output[0] if self.add is None else self.add.output[0])


def linear_before(editor: GraphEditor, value: str) -> Linear | None:
    """The Linear that gives `value`; None where something else does."""
    node = editor.producer.get(value)
    if node is None:
        return None
    if node.op_type == "Add":
        for name, bias_name in (node.input, reversed(node.input)):
            matmul, bias = editor.producer.get(name), editor.initializers.get(bias_name)
            if matmul is not None and bias is not None:
                weight = _weight_of(editor, matmul)
                if weight is not None and list(bias.dims) == list(weight.dims[1:]):
                    return Linear(editor, matmul, node, bias_name, weight.dims[1])
    weight = _weight_of(editor, node)
    return None if weight is None else Linear(editor, node, None, "", weight.dims[1])


def _weight_of(editor: GraphEditor, node: NodeProto) -> TensorProto | None:
    return editor.initializers.get(node.input[1]) if node.op_type == "MatMul" else None
