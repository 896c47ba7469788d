"""The graphs that are run beside a candidate when the caller brings none: one for small, one for large."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

# Transformer layers, since what slows the machine slows products, attention and norms by different
# factors: a reference of products alone suffered 1.3 times (in logarithms) what a candidate did.
# What other programs do to shared caches and memory meets a candidate only as far as its weights lie
# there. The small reference stays in a core's own cache, the large one, of MiniLM's width, does not: with
# the one that suits their size, repeated measurements of 20 graphs differed by half as much.
# Weights of 4.3 MB still went with the small one, of 7.8 MB with the large.
LARGE_BYTES = 6 << 20


@dataclass
class _Layers:
    """Nodes and weights of such layers as they are put together; each method gives its result's name."""

    width: int
    num_heads: int
    units: int
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
        split = self.constant([0, 0, self.num_heads, self.width // self.num_heads], np.int64)
        return self.op(
            "Transpose",
            self.op("Reshape", self.linear(value, self.width, self.width), split),
            perm=[0, 2, *order],
        )

    def attention(self, value: str) -> str:
        query, key, content = (self.heads(value, order) for order in ([1, 3], [3, 1], [1, 3]))
        scale = self.constant((self.width // self.num_heads) ** -0.5)
        scores = self.op("Softmax", self.op("Mul", self.op("MatMul", query, key), scale), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", scores, content), perm=[0, 2, 1, 3])
        joined = self.op("Reshape", mixed, self.constant([0, 0, self.width], np.int64))
        return self.linear(joined, self.width, self.width)

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
        scaled = self.op("Mul", self.op("Div", centred, deviation), self.constant(np.ones(self.width)))
        return self.op("Add", scaled, self.constant(np.zeros(self.width)))

    def encoder(self, value: str) -> str:
        attended = self.norm(self.op("Add", self.attention(value), value))
        inner = self.gelu(self.linear(attended, self.width, self.units))
        return self.norm(self.op("Add", self.linear(inner, self.units, self.width), attended))


@cache
def default_reference() -> bytes:
    """One encoder layer of BERT's form, 160 wide: 0.31 M parameters, 1.2 MB."""
    return _encoder(_Layers(160, 5, 640), 1)


@cache
def large_reference() -> bytes:
    """Two encoder layers of BERT's form, 384 wide: 3.5 M parameters, 14 MB."""
    return _encoder(_Layers(384, 12, 1536), 2)


def reference_for(weight_bytes: int) -> bytes:
    """The one that suits a graph whose runs read so many bytes of weights."""
    return default_reference() if weight_bytes < LARGE_BYTES else large_reference()


def _encoder(layers: _Layers, number: int) -> bytes:
    import onnx
    from onnx import helper

    value = "tokens"
    for _ in range(number):
        value = layers.encoder(value)
    shape = ["batch", "length", layers.width]
    graph = helper.make_graph(
        layers.nodes,
        "reference",
        [helper.make_tensor_value_info("tokens", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, shape)],
        layers.weights,
    )
    # Old enough for any runtime that a device still has.
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
