"""Positions in an exported graph: counted there, and rotations in operators that every runtime has."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import NodeProto, helper

from compresskit.engine.editing import GraphEditor, attributes_of, num_axes
from compresskit.errors import EngineError
from compresskit.inputs import POSITIONS


def count_positions(editor: GraphEditor) -> None:
    """Put 0, 1, 2, ... in place of the input `position_ids` that a graph was traced with, if it was.

    Without that input torch writes rotations that hold for a batch of one only.
    """
    inputs = [item for item in editor.graph.input if item.name != POSITIONS]
    if len(inputs) == len(editor.graph.input):
        return
    first, first_input = editor.nodes[0], inputs[0].name
    for node in list(editor.uses(POSITIONS)):
        if node.op_type == "Shape":
            node.input[0] = first_input
    zero, one = (editor.add_constant(f"position_{n}", np.array(n, dtype=np.int64)) for n in (0, 1))
    axis = editor.add_constant("position_axis", np.array([0], dtype=np.int64))
    names = [editor.fresh(f"position_{part}") for part in ("shape", "length", "range", "row")]
    last = num_axes(inputs[0])
    sized = editor.add("Shape", [first_input], names[:1], before=first, name="positions/Shape")
    sized.attribute.extend(helper.make_attribute(*end) for end in (("start", last - 1), ("end", last)))
    editor.add("Squeeze", [names[0]], [names[1]], before=first, name="positions/Squeeze")
    editor.add("Range", [zero, names[1], one], [names[2]], before=first, name="positions/Range")
    editor.add("Unsqueeze", [names[2], axis], [names[3]], before=first, name="positions/Unsqueeze")
    found = names[3]
    if last > 2:  # such as the model folds into its batch
        whole, found = editor.fresh("position_sizes"), editor.fresh("positions")
        editor.add("Shape", [first_input], [whole], before=first, name="positions/Shape")
        editor.add("Expand", [names[3], whole], [found], before=first, name="positions/Expand")
    editor.redirect(POSITIONS, found)
    del editor.graph.input[:]
    editor.graph.input.extend(inputs)


class Rotations:
    """Writes RotaryEmbedding of opset 23 out; cosine and sine are computed once for each kind of it.

    Both are multiplied by `factor`.
    """

    def __init__(self, editor: GraphEditor, factor: float = 1.0) -> None:
        self.editor = editor
        self._factor = factor
        self._wide: dict[tuple[str, ...], tuple[str, str]] = {}

    def write_out(self, node: NodeProto) -> None:
        """`x * cos + (second half, first half of x) * (-sin, sin)` on x of (batch, heads, length, size)."""
        settings = attributes_of(node)
        if len(node.input) != 3 or settings.get("interleaved") or settings.get("rotary_embedding_dim"):
            raise EngineError(f"rotary embedding {node.name!r} is of a kind that is not known.")
        editor, (source, cos, sin), result = self.editor, node.input, node.output[0]
        cos, sin = self._wide_tables(node, cos, sin, self._rank(source))
        halves = [editor.fresh(f"{result}_{part}") for part in ("first", "second")]
        swapped, straight, crossed = (
            editor.fresh(f"{result}_{p}") for p in ("swapped", "straight", "crossed")
        )
        editor.remove(node)
        place = editor.uses(result)[0]
        steps: tuple[tuple[str, list[str], list[str], dict[str, Any]], ...] = (
            ("Split", [source], halves, {"axis": -1, "num_outputs": 2}),
            ("Concat", halves[::-1], [swapped], {"axis": -1}),
            ("Mul", [source, cos], [straight], {}),
            ("Mul", [swapped, sin], [crossed], {}),
            ("Add", [straight, crossed], [result], {}),
        )
        for op_type, inputs, outputs, attributes in steps:
            added = editor.add(op_type, inputs, outputs, before=place, **attributes)
            added.metadata_props.extend(node.metadata_props)

    def _rank(self, value: str) -> int:
        """Axes of what is rotated: one more where queries are in groups."""
        node = self.editor.producer.get(value)
        is_grouped = node is not None and node.op_type == "Transpose"
        return len(attributes_of(node)["perm"]) if node is not None and is_grouped else 4

    def _wide_tables(self, node: NodeProto, cos: str, sin: str, rank: int) -> tuple[str, str]:
        """(cos, cos) and (-sin, sin) of (batch, 1, length, size), with as many ones as `rank` asks for."""
        editor = self.editor
        producers = [editor.producer[name] for name in (cos, sin)]
        key = (str(rank), *(part for each in producers for part in (each.op_type, *each.input)))
        if key not in self._wide:
            for each in producers:
                del each.metadata_props[:]
                each.name = f"rotary/{each.op_type}"
            axis = editor.add_constant("rotary_axis", np.arange(1, rank - 2), shared=True)
            negative = editor.fresh(f"{sin}_negative")
            editor.add("Neg", [sin], [negative], before=node, name="rotary/Neg")
            found = []
            for first, second in ((cos, cos), (negative, sin)):
                joined, wide = editor.fresh(f"{second}_joined"), editor.fresh(f"{second}_wide")
                editor.add("Concat", [first, second], [joined], before=node, name="rotary/Concat", axis=-1)
                editor.add("Unsqueeze", [joined, axis], [wide], before=node, name="rotary/Unsqueeze")
                found.append(self._times_factor(wide, node))
            self._wide[key] = found[0], found[1]
        return self._wide[key]

    def _times_factor(self, value: str, before: NodeProto) -> str:
        if self._factor == 1.0:
            return value
        factor = np.array(self._factor, dtype=np.float32)
        constant = self.editor.add_constant("rotary_factor", factor, shared=True)
        name = self.editor.fresh(f"{value}_scaled")
        self.editor.add("Mul", [value, constant], [name], before=before, name="rotary/Mul")
        return name
