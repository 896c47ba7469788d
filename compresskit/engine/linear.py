"""Linear layers of a graph: a product with a weight, and the bias behind it."""

from __future__ import annotations

from dataclasses import dataclass

from onnx import NodeProto

from compresskit.engine.editing import Array, GraphEditor


@dataclass(frozen=True, eq=False)
class Linear:
    """`product = source @ weight`, `output = product + bias`; weight of shape (in, out)."""

    editor: GraphEditor
    matmul: NodeProto
    add: NodeProto
    bias_name: str
    width: int  # out

    @property
    def weight(self) -> Array:
        value = self.editor.constant(self.matmul.input[1])
        assert value is not None
        return value

    @property
    def bias(self) -> Array:
        value = self.editor.constant(self.bias_name)
        assert value is not None
        return value

    @property
    def source(self) -> str:
        return str(self.matmul.input[0])

    @property
    def product(self) -> str:
        return str(self.matmul.output[0])

    @property
    def output(self) -> str:
        return str(self.add.output[0])


def linear_at(editor: GraphEditor, matmul: NodeProto) -> Linear | None:
    """The Linear whose product `matmul` is, or None where it is no product with a weight."""
    weight = editor.initializers.get(matmul.input[1])
    add = editor.only_use(matmul.output[0])
    if matmul.op_type != "MatMul" or weight is None or add is None or add.op_type != "Add":
        return None
    bias_name = add.input[1] if add.input[0] == matmul.output[0] else add.input[0]
    bias = editor.initializers.get(bias_name)
    if bias is None or list(bias.dims) != list(weight.dims[1:]):
        return None
    return Linear(editor, matmul, add, bias_name, weight.dims[1])


def linear_before(editor: GraphEditor, value: str) -> Linear:
    """The Linear that gives `value`."""
    add = editor.producer[value]
    for name in add.input:
        found = linear_at(editor, editor.producer[name]) if name in editor.producer else None
        if found is not None and found.add is add:
            return found
    raise AssertionError(f"{value} is not the output of a linear layer")
