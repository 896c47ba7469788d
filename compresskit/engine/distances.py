"""Attention whose scores are also by distance (He et al. 2021, arXiv 2006.03654, equation 4).

Torch multiplies queries, and keys, with the embedding of every distance that the model knows, and gathers
those of each pair of tokens. Here the table is first put in the order in which distances stand in a row of
scores: L - 1 down to -L for texts of L tokens, 2L in all. Place (i, j) of the scores is then column
L - 1 - i + j of row i of the product, and (2L - 1) i + L - 1 + j of all its numbers in a line: behind the
first L - 1, rows of 2L - 1 numbers begin with row i of the scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from compresskit.engine.editing import Array, GraphEditor, live_nodes, num_axes
from compresskit.engine.linear import linear_before
from compresskit.engine.masks import Masks
from compresskit.errors import EngineError

_HEADS_FIRST = [0, 2, 1, 3]  # of (batch, length, heads, head size)
_TURNED = [0, 1, 3, 2]
_FAR = 1 << 15  # beyond this all distances are expected to be alike


@dataclass(frozen=True)
class _Product:
    """Rows times columns times `scale`, of which `index` says which column each place takes, if it does."""

    rows: str
    columns: str
    scale: float = 1.0
    index: str = ""
    is_turned: bool = False  # keys stand in rows


def join_distances(editor: GraphEditor, masks: Masks) -> None:
    """Put an Attention node, as the exporter writes it, in place of each attention with heads in its batch.

    What it adds to its scores by distance is part of its mask. EngineError for distances of an unknown kind.
    """
    distances = _Distances(editor)
    for softmax in editor.of_type("Softmax"):
        masked = editor.producer.get(softmax.input[0])
        if masked is None or masked.op_type != "Where":
            continue
        absent, _, scores = (editor.producer.get(name) for name in masked.input)
        folded = editor.only_use(softmax.output[0])
        context = None if folded is None else editor.only_use(folded.output[0])
        if absent is None or scores is None or context is None or scores.op_type != "Reshape":
            continue
        products = list(_products(editor, _Product(scores.input[0], "")))
        (content,) = (each for each in products if not each.index)
        query, key, value = (
            _heads_of(editor, name) for name in (content.rows, content.columns, context.input[1])
        )
        mask = absent.input[0]
        for each in products:
            if each.index:
                mask = masks.plus(mask, distances.scores(each, softmax), softmax)
        (unfolded,) = editor.uses(context.output[0])
        inputs, output = [query, key, value, mask], unfolded.output[0]
        editor.remove(unfolded)
        joined = editor.add("Attention", inputs, [output], before=softmax, scale=content.scale)
        joined.metadata_props.extend(softmax.metadata_props)
        for node in (context, folded, softmax, masked):
            if node is not None:
                editor.remove(node)


def _products(editor: GraphEditor, found: _Product) -> Iterator[_Product]:
    """Those whose sum is the value that `found.rows` names."""
    node = editor.producer[found.rows]
    if node.op_type == "Add":
        for name in node.input:
            yield from _products(editor, replace(found, rows=name))
    elif node.op_type == "MatMul":
        columns, scale = _without_factor(editor, node.input[1])
        turned = editor.producer[columns]
        yield replace(found, rows=node.input[0], columns=turned.input[0], scale=found.scale * scale)
    elif node.op_type == "GatherElements":
        yield from _products(editor, replace(found, rows=node.input[0], index=node.input[1]))
    elif node.op_type == "Transpose":
        yield from _products(editor, replace(found, rows=node.input[0], is_turned=True))
    else:
        value, scale = _without_factor(editor, found.rows)
        if value == found.rows:
            raise EngineError(f"scores {found.rows!r} come from {node.op_type}, which is not known.")
        yield from _products(editor, replace(found, rows=value, scale=found.scale * scale))


def _without_factor(editor: GraphEditor, value: str) -> tuple[str, float]:
    """What is multiplied with, or divided by, one number, and the factor that this is."""
    node = editor.producer[value]
    factor = editor.constant(node.input[1]) if node.op_type in ("Mul", "Div") else None
    if factor is None or factor.size != 1:
        return value, 1.0
    return node.input[0], float(factor.reshape(())) ** (1 if node.op_type == "Mul" else -1)


def _heads_of(editor: GraphEditor, value: str) -> str:
    """(batch, heads, length, head size) of a value whose heads are folded into the batch.

    How the Reshape behind its Linear splits heads is written so that it holds for any number of them.
    """
    node = editor.producer[value]
    while node.op_type in ("Tile", "Expand", "Reshape"):
        node = editor.producer[node.input[0]]
    split = editor.producer[node.input[0]]
    if (node.op_type, split.op_type) != ("Transpose", "Reshape"):
        raise EngineError(f"the heads of {value!r} do not come from a Reshape, but from {split.op_type}.")
    shape = editor.constant(split.input[1])
    parts = [] if shape is not None else [editor.constant(n) for n in editor.producer[split.input[1]].input]
    heads, size = shape[2:] if shape is not None else (int(part[0]) for part in parts[2:] if part is not None)
    linear = linear_before(editor, split.input[0])
    if size < 0 and linear is not None:
        size = linear.width // heads
        sizes = np.array([0, 0, -1, size], dtype=np.int64)
        split.input[1] = editor.add_constant("split_heads", sizes, shared=True)
        del split.attribute[:]
    return str(node.output[0])


class _Distances:
    """Scores by distance. What a graph needs of distances is computed there once for all layers."""

    def __init__(self, editor: GraphEditor) -> None:
        self.editor = editor
        self._columns: dict[str, str] = {}  # by what gave the columns of each place
        self._sizes: tuple[str, str, str] | None = None

    def scores(self, product: _Product, before: NodeProto) -> str:
        """(batch, heads, length, length) of a product with a table of distances."""
        table, rows = _heads_of(self.editor, product.columns), _heads_of(self.editor, product.rows)
        length, last, shape = self._sizes = self._sizes or self._lengths()
        columns = self._in_order(product.index, last, length)
        factor = self.editor.add_constant("scale", np.array(product.scale, dtype=np.float32), shared=True)
        line = self._whole("in_line", 0, 0, -1)
        if product.is_turned:  # the keys of the scores proper are turned where they stand
            rows = self._add("Transpose", self.editor.producer[rows].input[:1], before, perm=_HEADS_FIRST)
        value = self._add("Mul", [table, factor], before)
        value = self._add("Gather", [value, columns], before, axis=2)
        value = self._add("Transpose", [value], before, perm=_TURNED)
        value = self._add("MatMul", [rows, value], before)
        value = self._add("Reshape", [value, line], before)
        value = self._add("Slice", [value, last, *(self._whole(f"whole_{n}", n) for n in (-1, 2))], before)
        value = self._add("Reshape", [value, shape], before)
        value = self._add(
            "Slice", [value, self._whole("whole_0", 0), length, self._whole("whole_3", 3)], before
        )
        return self._add("Transpose", [value], before, perm=_TURNED) if product.is_turned else value

    def _lengths(self) -> tuple[str, str, str]:
        """Of texts of L tokens: L, L - 1, and the shape in which rows of scores stand below each other."""
        tokens, first = self.editor.graph.input[0], self.editor.nodes[0]
        axes, one = num_axes(tokens), self._whole("whole_1", 1)
        length = self._add("Shape", [tokens.name], first, start=axes - 1, end=axes)
        last = self._add("Sub", [length, one], first)
        parts = [self._whole("kept", 0, 0), length, self._whole("whole_-1", -1)]
        return length, last, self._add("Concat", parts, first, axis=0)

    def _in_order(self, index: str, last: str, length: str) -> str:
        """(2 L) columns that distances L - 1 down to -L take, where `index` says which each place takes."""
        editor = self.editor
        source = editor.producer[index].input[0]  # before it was repeated for heads and rows
        if source not in self._columns:
            table = self._of_distances(source)
            far = len(table) // 2
            ends = [
                editor.add_constant(f"far_{n}", np.array(n, dtype=np.int64), shared=True) for n in (-far, far)
            ]
            zero, one = (
                editor.add_constant(f"number_{n}", np.array(n, dtype=np.int64), shared=True) for n in (0, 1)
            )
            before = next(node for node in editor.nodes if node.input[:1] == [source])
            twice = self._add("Add", [length, length], before)
            places = self._add("Range", [zero, self._add("Squeeze", [twice], before), one], before)
            found = self._add("Clip", [self._add("Sub", [last, places], before), *ends], before)
            found = self._add("Add", [found, ends[1]], before)
            known = editor.add_constant("columns_of_distances", table)
            self._columns[source] = self._add("Gather", [known, found], before, axis=0)
        return self._columns[source]

    def _of_distances(self, source: str) -> Array:
        """Columns of distances -D to D, beyond which all are as at these ends."""
        editor = self.editor
        (row_minus_column,) = (
            node.output[0]
            for node in live_nodes(editor.nodes, [source])
            if node.op_type == "Sub" and all(self._is_range(name) for name in node.input)
        )
        part = ModelProto(ir_version=editor.model.ir_version, opset_import=editor.model.opset_import)
        nodes = [node for node in editor.nodes if row_minus_column not in node.output]
        part.graph.node.extend(live_nodes(nodes, [source]))
        used = {name for node in part.graph.node for name in node.input}
        part.graph.name = "distances"
        part.graph.initializer.extend(item for name, item in editor.initializers.items() if name in used)
        part.graph.input.append(helper.make_tensor_value_info(row_minus_column, TensorProto.INT64, [1, None]))
        part.graph.output.add(name=source)
        distances = np.arange(-_FAR, _FAR + 1)
        with np.errstate(all="ignore"):  # the logarithm of distance 0, which is not used
            (found,) = ReferenceEvaluator(part).run(None, {row_minus_column: distances[None]})
        columns = np.asarray(found, dtype=np.int64).reshape(-1)
        odd = np.flatnonzero(
            (columns != columns[0]) & (distances < 0) | (columns != columns[-1]) & (distances > 0)
        )
        far = int(np.abs(distances[odd]).max(initial=0)) + 1
        if far >= _FAR:
            raise EngineError(f"distances beyond {_FAR} tokens are told apart, which is not known.")
        return columns[_FAR - far : _FAR + far + 1]

    def _is_range(self, value: str) -> bool:
        node = self.editor.producer.get(value)
        source = (
            None if node is None or node.op_type != "Unsqueeze" else self.editor.producer.get(node.input[0])
        )
        return source is not None and source.op_type == "Range"

    def _whole(self, stem: str, *numbers: int) -> str:
        return self.editor.add_constant(stem, np.array(numbers, dtype=np.int64), shared=True)

    def _add(self, op_type: str, inputs: Iterable[str], before: NodeProto, **attributes: Any) -> str:
        name = self.editor.fresh(f"distance_{op_type.lower()}")
        shared = not before.metadata_props or before.op_type != "Softmax"
        added = self.editor.add(op_type, inputs, [name], before=before, **attributes)
        if shared:
            added.name = f"distances/{op_type}"
        else:
            added.metadata_props.extend(before.metadata_props)
        return name
