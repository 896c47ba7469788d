"""Block-structured matrices as standard operators: what was pruned is neither stored nor computed.

Where outputs are cut, a block is a Gather of the inputs it keeps and a smaller MatMul, and the blocks
are concatenated. Where inputs are cut, outputs that read the same blocks share one MatMul, so that
nothing has to be added or scattered. Members without a gap between them need a Slice, and no Gather.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto

from compresskit.blocks import OUTPUTS, BlockMatrix, BlockPlan
from compresskit.engine.editing import Array, GraphEditor
from compresskit.errors import EngineError

_WEIGHT, _INDEX = ".weight.block", ".index.block"
# Runs of outputs that read the same blocks, for each kind of them; with more, outputs are sorted.
_RUNS_A_KIND = 3


@dataclass(frozen=True, slots=True)
class Stored:
    """What a graph holds of its block-structured matrices."""

    num_params: int
    index_bytes: int


def compact_graph(model: ModelProto, plan: BlockPlan) -> ModelProto:
    """Rewrite the products that `plan` names, in place, in any variant that leaves each its own.

    Weights that the plan does not keep are dropped whatever their value. EngineError where the graph
    has no such product, or one of another shape.
    """
    editor = GraphEditor(model)
    products = {node.input[1]: node for node in editor.of_type("MatMul")}
    for name, matrix in plan.items():
        node = products.get(f"{name}.weight")
        if node is None:
            raise EngineError(f"the graph has no product with {name}.weight of its own; it may be packed.")
        weight = editor.constant(node.input[1])
        if weight is None or weight.shape != matrix.shape[::-1]:
            raise EngineError(
                f"{name}.weight is {None if weight is None else weight.shape[::-1]} in the graph, "
                f"not {matrix.shape}."
            )
        _Rewrite(editor, node, name, weight).write(matrix)
    return editor.finish()


def stored_blocks(model: ModelProto, plan: BlockPlan) -> Stored:
    """Parameters and bytes of indices of the matrices of `plan`, counted on the graph."""
    modules = {name for name, _ in plan.items()}
    params = indices = 0
    for item in model.graph.initializer:
        for kind in (_WEIGHT, _INDEX):
            module, found, _ = item.name.rpartition(kind)
            if found and module in modules:
                params += prod(item.dims) if kind == _WEIGHT else 0
                indices += len(item.raw_data) if kind == _INDEX else 0
    return Stored(params, indices)


@dataclass
class _Rewrite:
    """One product `source @ weight`, weight (in, out), on its way to blocks."""

    editor: GraphEditor
    node: NodeProto
    name: str
    weight: Array

    def write(self, matrix: BlockMatrix) -> None:
        parts = self._by_outputs(matrix) if matrix.axis == OUTPUTS else self._by_inputs(matrix)
        self.editor.redirect(self.node.output[0], parts)

    def _by_outputs(self, matrix: BlockMatrix) -> str:
        parts = [self._product(members, self.weight[members, block]) for block, members in matrix.blocks()]
        return self._concat(parts)

    def _by_inputs(self, matrix: BlockMatrix) -> str:
        reads = np.zeros((len(matrix.widths), matrix.shape[0]), dtype=bool)  # (blocks, outputs)
        starts = np.cumsum([0, *matrix.widths])
        for number, (_, members) in enumerate(matrix.blocks()):
            reads[number, members] = True
        serving = np.unique(reads[::-1], axis=1, return_inverse=True)[1].reshape(-1)
        kinds = serving.max() + 1
        order = np.arange(len(serving))
        edges = np.flatnonzero(np.diff(serving)) + 1
        if len(edges) + 1 > _RUNS_A_KIND * kinds:
            order = np.argsort(serving, kind="stable")
            edges = np.flatnonzero(np.diff(serving[order])) + 1
        parts = []
        for outputs in np.split(order, edges):
            chosen = np.flatnonzero(reads[:, outputs[0]])
            pieces = [np.arange(starts[b], starts[b + 1]) for b in chosen]
            inputs = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int64)
            parts.append(self._product(inputs, self.weight[np.ix_(inputs, outputs)]))
        value = self._concat(parts)
        if (np.diff(order) == 1).all():
            return value
        return self._gather(value, np.argsort(order, kind="stable"))

    def _product(self, inputs: npt.NDArray[np.int64], weight: Array) -> str:
        if not len(inputs):  # nothing is left: a product with zeros keeps the shape
            inputs, weight = np.zeros(1, dtype=np.int64), np.zeros((1, weight.shape[1]), self.weight.dtype)
        source = self._inputs(inputs)
        held = self.editor.add_constant(f"{self.name}{_WEIGHT}", weight)
        return self._add("MatMul", [source, held], "product")

    def _inputs(self, members: npt.NDArray[np.int64]) -> str:
        source: str = self.node.input[0]
        if len(members) == len(self.weight):
            return source
        runs = np.split(members, np.flatnonzero(np.diff(members) != 1) + 1)
        if len(runs) > 2:
            return self._gather(source, members)
        return self._concat([self._slice(source, int(run[0]), int(run[-1]) + 1) for run in runs])

    def _slice(self, value: str, start: int, stop: int) -> str:
        bounds = [
            self.editor.add_constant(f"slice_{number}", np.array([number], dtype=np.int64), shared=True)
            for number in (start, stop)
        ]
        axis = self.editor.add_constant("slice_last_axis", np.array([-1], dtype=np.int64), shared=True)
        return self._add("Slice", [value, *bounds, axis], "slice")

    def _gather(self, value: str, members: npt.NDArray[np.int64]) -> str:
        index = self.editor.add_constant(f"{self.name}{_INDEX}", members.astype(np.int32))
        return self._add("Gather", [value, index], "gathered", axis=-1)

    def _concat(self, parts: Sequence[str]) -> str:
        return parts[0] if len(parts) == 1 else self._add("Concat", parts, "joined", axis=-1)

    def _add(self, op_type: str, inputs: Sequence[str], stem: str, **attributes: Any) -> str:
        output = self.editor.fresh(f"{self.name}.{stem}")
        name = f"{self.name}/{op_type}{output.removeprefix(f'{self.name}.{stem}')}"
        self.editor.add(op_type, inputs, [output], before=self.node, name=name, **attributes)
        return output
