"""The graph that is run beside a candidate when the caller brings none."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

# A transformer's layer, since what slows the machine slows products, attention and norms by different
# factors: a reference of products alone suffered 1.3 times (in logarithms) what a candidate did. So narrow
# that it stays in a core's own cache: a larger one and the candidate drive each other out, the more the
# larger the candidate is, and its time would tell of that instead of the machine's state.
_WIDTH, _HEADS, _UNITS = 160, 5, 640


@dataclass
class _Layer:
    """Nodes and weights as they are put together; each method gives the name of its result."""

    nodes: list[NodeProto] = field(default_factory=list)
    weights: list[TensorProto] = field(default_factory=list)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: Any, dtype: type = np.float32) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def linear(self, value: str, rows: int, columns: int) -> str:
        weight = self.constant(self.rng.standard_normal((rows, columns)) / rows**0.5)
        return self.op("Add", self.op("MatMul", value, weight), self.constant(np.zeros(columns)))

    def heads(self, value: str, order: list[int]) -> str:
        """(batch, length, width) to (batch, heads, ...), the last two axes in `order`."""
        split = self.constant([0, 0, _HEADS, _WIDTH // _HEADS], np.int64)
        return self.op(
            "Transpose", self.op("Reshape", self.linear(value, _WIDTH, _WIDTH), split), perm=[0, 2, *order]
        )

    def attention(self, value: str) -> str:
        query, key, content = (self.heads(value, order) for order in ([1, 3], [3, 1], [1, 3]))
        scale = self.constant((_WIDTH // _HEADS) ** -0.5)
        scores = self.op("Softmax", self.op("Mul", self.op("MatMul", query, key), scale), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", scores, content), perm=[0, 2, 1, 3])
        joined = self.op("Reshape", mixed, self.constant([0, 0, _WIDTH], np.int64))
        return self.linear(joined, _WIDTH, _WIDTH)

    def gelu(self, value: str) -> str:
        error = self.op("Erf", self.op("Div", value, self.constant(2**0.5)))
        return self.op(
            "Mul",
            self.op("Mul", value, self.op("Add", error, self.constant(1.0))),
            self.constant(0.5),
        )

    def norm(self, value: str) -> str:
        """Written out, as runtimes older than the operator need it; newer ones fuse it again."""
        centred = self.op("Sub", value, self.op("ReduceMean", value, axes=[-1]))
        variance = self.op("ReduceMean", self.op("Pow", centred, self.constant(2.0)), axes=[-1])
        deviation = self.op("Sqrt", self.op("Add", variance, self.constant(1e-12)))
        scaled = self.op("Mul", self.op("Div", centred, deviation), self.constant(np.ones(_WIDTH)))
        return self.op("Add", scaled, self.constant(np.zeros(_WIDTH)))


@cache
def default_reference() -> bytes:
    """One encoder layer of BERT's form, 160 wide: 0.31 M parameters, 1.2 MB."""
    import onnx
    from onnx import helper

    layer = _Layer()
    attended = layer.norm(layer.op("Add", layer.attention("tokens"), "tokens"))
    inner = layer.gelu(layer.linear(attended, _WIDTH, _UNITS))
    value = layer.norm(layer.op("Add", layer.linear(inner, _UNITS, _WIDTH), attended))
    shape = ["batch", "length", _WIDTH]
    graph = helper.make_graph(
        layer.nodes,
        "reference",
        [helper.make_tensor_value_info("tokens", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, shape)],
        layer.weights,
    )
    # Old enough for any runtime that a device still has.
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
