"""What attention adds to its scores: the padding, or the whole mask that the model made for it."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from compresskit.engine.editing import Array, GraphEditor, live_nodes
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

    def _added_form(self, mask: str) -> str:
        value = self._look(mask)
        if value.dtype != np.bool_:
            return mask
        padding = _padded()[:, None, None, :].astype(np.bool_)
        if value.ndim == 4 and (value == padding).all():
            self._padding = self._padding or self._of_padding()
            return self._padding
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
        editor.add("Cast", [PADDING_MASK], names[:1], before=first, name="mask/Cast", to=TensorProto.FLOAT)
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
        try:
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
