"""What attention adds to its scores: the padding, or the whole mask that the model made for it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from compresskit.engine.editing import Array, GraphEditor, attributes_of, live_nodes, num_axes, rows_of
from compresskit.errors import EngineError
from compresskit.inputs import PADDING_MASK

MASK = "attention_bias"
# Masked scores: exp() of it is exactly 0 in fp32, and it is finite in fp16.
MASKED = -10000.0
_ROWS, _LENGTH, _NARROW = 2, 7, 2  # of what a mask is looked at with
_ARITHMETIC = {
    *("Add", "Sub", "Mul", "Div", "Mod"),
    *("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"),
}


class Masks:
    """The masks of a graph, each brought into the form that is added; many attentions share one."""

    def __init__(self, editor: GraphEditor) -> None:
        self.editor = editor
        self._added: dict[str, str] = {}
        self._sums: dict[tuple[str, ...], str] = {}
        self._padding = ""

    def additive(self, node: NodeProto) -> str:
        """What to add to the scores of an Attention node of the exporter; empty where it reads all keys.

        (batch, 1, 1, length) where keys are masked for all queries alike, as padding is, otherwise
        (batch, 1, length, length): a window or causal order stays what it is.
        """
        mask = node.input[3] if len(node.input) > 3 else ""
        if not mask:
            return ""
        if mask not in self._added:
            self._added[mask] = self._added_form(mask)
        return self._added[mask]

    def sum_of(self, added: Sequence[str], scores: NodeProto) -> str:
        """One value in place of all that is added to the scores which the node `scores` reads.

        Of a value of which a layer takes some heads by Gather, and others that are the same for all heads,
        the sum is computed once, and each layer takes heads of that.
        """
        editor = self.editor
        parts = [self._added_form(name) for name in added]
        own = next((part for part in parts if self._is_of_own_heads(part)), None)
        others = tuple(part for part in parts if part != own)
        if own is not None and all(self._look(part).shape[1] == 1 for part in others):
            taken = editor.producer[own]
            total = self._sum((self._narrower(taken.input[0], others), *others), scores)
            name = editor.fresh(f"{MASK}_own")
            node = editor.add("Gather", [total, taken.input[1]], [name], before=scores, axis=1)
            node.metadata_props.extend(scores.metadata_props)
        else:
            name = self._sum(tuple(parts), scores)
        self._added[name] = name
        return name

    def plus(self, mask: str, bias: str, before: NodeProto) -> str:
        """`mask` plus a `bias` that depends on what a layer reads."""
        name = self.editor.fresh(f"{MASK}_plus")
        form = self._added.get(mask) or self._added_form(mask)
        self._added[mask] = form
        added = self.editor.add("Add", [bias, form], [name], before=before)
        added.metadata_props.extend(before.metadata_props)
        self._added[name] = name
        return name

    def _sum(self, parts: tuple[str, ...], before: NodeProto) -> str:
        for size in range(2, len(parts) + 1):
            if parts[:size] not in self._sums:
                name = self.editor.fresh(f"{MASK}_sum")
                first = self._sums.get(parts[: size - 1], parts[0])
                self.editor.add("Add", [first, parts[size - 1]], [name], before=before, name="mask/Add")
                self._sums[parts[:size]] = name
        return self._sums.get(parts, parts[0])

    def _is_of_own_heads(self, value: str) -> bool:
        node = self.editor.producer.get(value)
        return node is not None and node.op_type == "Gather" and attributes_of(node).get("axis") == 1

    def _narrower(self, value: str, others: Sequence[str]) -> str:
        """`value` before it was repeated for each row, where `others` bring the rows."""
        node = self.editor.producer.get(value)
        if node is None or node.op_type != "Expand" or all(len(self._look(o)) == 1 for o in others):
            return value
        before = self._look(node.input[0]).shape
        return str(node.input[0]) if before == (1, *self._look(value).shape[1:]) else value

    def _added_form(self, mask: str) -> str:
        value = self._look(mask)
        if value.dtype == np.bool_ and value.all():  # of images, which have no padding
            return ""
        present = _padded()[:, None, None, :].astype(np.bool_)
        padding = present if value.dtype == np.bool_ else np.where(present, 0, np.minimum(value, MASKED))
        # What the rows of padding are masked with means nothing.
        if value.ndim == 4 and ((value == padding) | ~present.swapaxes(2, 3)).all():
            self._padding = self._padding or self._of_padding()
            return self._padding
        if value.dtype != np.bool_:
            return mask
        before = self.editor.nodes[self.editor.position(self.editor.producer[mask]) + 1]
        allowed = self.editor.add_constant("mask_zero", np.array(0.0, dtype=np.float32), shared=True)
        factor = self.editor.add_constant("mask_factor", np.array(MASKED, dtype=np.float32), shared=True)
        name = self.editor.fresh(f"{MASK}_whole")
        self.editor.add("Where", [mask, allowed, factor], [name], before=before, name="mask/Where")
        return name

    def _of_padding(self) -> str:
        editor, first = self.editor, self.editor.nodes[0]
        axes = editor.add_constant("mask_axes", np.array([1, 2], dtype=np.int64))
        one = editor.add_constant("mask_one", np.array(1.0, dtype=np.float32))
        factor = editor.add_constant("mask_factor", np.array(MASKED, dtype=np.float32), shared=True)
        names = [editor.fresh(stem) for stem in ("mask_float", "mask_inverse", "mask_scaled", MASK)]
        mask = rows_of(editor, PADDING_MASK, first)
        editor.add("Cast", [mask], names[:1], before=first, name="mask/Cast", to=TensorProto.FLOAT)
        editor.add("Sub", [one, names[0]], [names[1]], before=first, name="mask/Sub")
        editor.add("Mul", [names[1], factor], [names[2]], before=first, name="mask/Mul")
        editor.add("Unsqueeze", [names[2], axes], [names[3]], before=first, name="mask/Unsqueeze")
        return names[3]

    def _look(self, mask: str) -> Array:
        """The mask itself for two short rows, one of them padded, with windows so narrow that they show."""
        model, nodes = self.editor.model, []
        part = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
        for node in live_nodes(self.editor.nodes, [mask]):
            nodes.append(deepcopy(node))
            if node.op_type in _ARITHMETIC:
                self._narrow(nodes[-1], part)
        used = {name for node in nodes for name in node.input} | {mask}
        part.graph.name = "mask"
        part.graph.node.extend(nodes)
        part.graph.input.extend(item for item in model.graph.input if item.name in used)
        part.graph.initializer.extend(item for name, item in self.editor.initializers.items() if name in used)
        part.graph.output.add(name=mask)
        feed = {item.name: np.ones((_ROWS, _LENGTH), dtype=np.int64) for item in part.graph.input}
        if PADDING_MASK in feed:
            feed[PADDING_MASK] = _padded()
        for item in part.graph.input:  # of two rows of one text each
            between = [1] * (num_axes(item) - 2)
            feed[item.name] = feed[item.name].reshape(_ROWS, *between, _LENGTH)
        try:
            with np.errstate(all="ignore"):  # of what is left out later, such as the logarithm of distance 0
                (value,) = ReferenceEvaluator(part).run(None, feed)
        except Exception as error:  # the reference raises whatever numpy does
            raise EngineError(f"the mask {mask!r} of the graph cannot be computed: {error}") from error
        return np.asarray(value)

    def _narrow(self, node: NodeProto, part: ModelProto) -> None:
        """Distances between tokens that a node compares or adds, brought within what short rows have."""
        for i, name in enumerate(node.input):
            value = self.editor.constant(name)
            if value is not None and value.size == 1 and value.dtype.kind == "i":
                node.input[i] = f"{node.output[0]}_{i}_narrow"
                narrow = np.clip(value, -_NARROW, _NARROW)
                part.graph.initializer.append(numpy_helper.from_array(narrow, node.input[i]))


def _padded() -> Array:
    mask = np.ones((_ROWS, _LENGTH), dtype=np.int64)
    mask[1, [0, -1]] = 0
    return mask
