"""The matrix products of a graph alone: what its time would be if all else cost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from compresskit.engine.count import Shape, shapes_of
from compresskit.engine.editing import attributes_of

PRODUCTS = ("MatMul", "Gemm", "Attention", "MultiHeadAttention")


@dataclass(frozen=True)
class Product:
    """(heads, rows, inner) times (heads, inner, columns); with `is_weight` the second is constant."""

    heads: int
    rows: int
    inner: int
    columns: int
    is_weight: bool

    @property
    def macs(self) -> int:
        return self.heads * self.rows * self.inner * self.columns


def products_of(model: ModelProto, length: int) -> list[Product]:
    """Every product that `model` computes for one text of `length` tokens, in graph order."""
    nodes = [node for node in model.graph.node if node.op_type in PRODUCTS]
    shapes = shapes_of(model, nodes, 1, length)
    weights = {item.name for item in model.graph.initializer}
    return [product for node in nodes for product in _products(node, shapes, weights)]


def _products(node: NodeProto, shapes: dict[str, Shape], weights: set[str]) -> list[Product]:
    first, second = shapes[node.input[0]], shapes[node.input[1]]
    settings = attributes_of(node)
    if node.op_type in ("MatMul", "Gemm"):
        columns = shapes[node.output[0]][-1]
        if node.input[1] in weights:
            return [Product(1, prod(first[:-1]), first[-1], columns, True)]
        return [Product(prod(first[:-2]), first[-2], first[-1], columns, False)]
    if node.op_type == "Attention" and node.domain == "com.microsoft":
        _, length, width = shapes[node.output[0]]
        packed = Product(1, length, first[-1], second[-1], True)
        return [packed, *_attention(settings["num_heads"], length, length, width)]
    heads = settings["num_heads"] if node.op_type == "MultiHeadAttention" else settings["q_num_heads"]
    return _attention(heads, first[1], second[1], first[2])


def _attention(heads: int, queries: int, keys: int, width: int) -> list[Product]:
    size = width // heads
    return [Product(heads, queries, size, keys, False), Product(heads, queries, keys, size, False)]


def write_products(products: list[Product], length: int, path: Path) -> None:
    """A graph of just these products at `path`: float inputs (1, length, width), one small output.

    One element of each product is summed up, so that none is dropped and none is copied out.
    """
    graph = _Graph(length)
    for number, product in enumerate(products):
        graph.add_product(number, product)
    graph.add("Sum", graph.elements, "sum")
    inputs = [
        helper.make_tensor_value_info(f"tokens_{width}", TensorProto.FLOAT, [1, length, width])
        for width in sorted(graph.widths)
    ]
    output = helper.make_tensor_value_info("sum", TensorProto.FLOAT, None)
    body = helper.make_graph(graph.nodes, "products", inputs, [output], graph.constants)
    model = helper.make_model(body, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


class _Graph:
    def __init__(self, length: int) -> None:
        self.length = length
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self.widths: set[int] = set()
        self.elements: list[str] = []
        self._made: set[str] = set()
        self._random = np.random.default_rng(0)

    def add(self, op_type: str, inputs: list[str], output: str) -> str:
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=output))
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        if name not in self._made:
            self._made.add(name)
            self.constants.append(numpy_helper.from_array(value, name))
        return name

    def add_product(self, number: int, product: Product) -> None:
        left = self._left(product)
        if product.is_weight:
            value = self._random.standard_normal((product.inner, product.columns), dtype=np.float32)
            right = self.constant(f"weight_{number}", value)
        else:
            # Keys have the tokens as columns, values as rows.
            size = product.inner if product.columns == self.length else product.columns
            sizes = [1, product.heads, product.inner, product.columns]
            right = self._reshaped(self._tokens(product.heads * size), sizes)
        result = self.add("MatMul", [left, right], f"product_{number}")
        rank = 3 if product.is_weight else 4
        zeros = self.constant(f"zeros_{rank}", np.zeros(rank, np.int64))
        ones = self.constant(f"ones_{rank}", np.ones(rank, np.int64))
        self.elements.append(self.add("Slice", [result, zeros, ones], f"element_{number}"))

    def _left(self, product: Product) -> str:
        tokens = self._tokens(product.heads * product.inner)
        if product.rows != self.length:
            tokens = self._first(tokens, product.rows)
        if product.is_weight:
            return tokens
        return self._reshaped(tokens, [1, product.heads, product.rows, product.inner])

    def _tokens(self, width: int) -> str:
        self.widths.add(width)
        return f"tokens_{width}"

    def _first(self, tokens: str, rows: int) -> str:
        name = f"{tokens}_first_{rows}"
        if name not in self._made:
            self._made.add(name)
            bounds = [
                self.constant(f"{part}_{value}", np.array([value], np.int64))
                for part, value in (("start", 0), ("end", rows), ("axis", 1))
            ]
            self.add("Slice", [tokens, *bounds], name)
        return name

    def _reshaped(self, tokens: str, sizes: list[int]) -> str:
        shape = "_".join(map(str, sizes))
        name = f"{tokens}_as_{shape}"
        if name not in self._made:
            self._made.add(name)
            self.add("Reshape", [tokens, self.constant(f"shape_{shape}", np.array(sizes, np.int64))], name)
        return name
