"""Finding and changing nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper

Array = npt.NDArray[Any]


class GraphEditor:
    """One main graph, edited in place; look-ups are built once and kept up to date.

    Encoders exported by torch have no subgraphs, so names live in one flat scope.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.graph = model.graph
        self.nodes: list[NodeProto] = list(model.graph.node)
        self.initializers: dict[str, Any] = {item.name: item for item in model.graph.initializer}
        self.outputs = {item.name for item in model.graph.output}
        self.producer: dict[str, NodeProto] = {}
        self.consumers: dict[str, list[NodeProto]] = {}
        for node in self.nodes:
            self._index(node)
        self._added: list[Any] = []
        self._names = set(self.producer) | set(self.initializers) | {i.name for i in model.graph.input}

    def _index(self, node: NodeProto) -> None:
        for name in node.output:
            self.producer[name] = node
        for name in node.input:
            self.consumers.setdefault(name, []).append(node)

    def of_type(self, *op_types: str) -> list[NodeProto]:
        return [node for node in self.nodes if node.op_type in op_types]

    def uses(self, value: str) -> list[NodeProto]:
        """The nodes that read `value`."""
        return self.consumers.get(value, [])

    def only_use(self, value: str) -> NodeProto | None:
        """The node that reads `value`, if it is the only one and the value is no output."""
        uses = self.uses(value)
        return uses[0] if len(uses) == 1 and value not in self.outputs else None

    def constant(self, name: str) -> Array | None:
        """The value of an initializer, or None for anything computed."""
        item = self.initializers.get(name)
        return None if item is None else numpy_helper.to_array(item)

    def fresh(self, stem: str) -> str:
        """A value name that the graph does not use yet."""
        name, number = stem, 0
        while name in self._names:
            number += 1
            name = f"{stem}_{number}"
        self._names.add(name)
        return name

    def add_constant(self, stem: str, value: Array, *, shared: bool = False) -> str:
        """Add an initializer; a `shared` one is taken again if a same-named equal one is there."""
        if shared and stem in self.initializers:
            found = self.constant(stem)
            if found is not None and found.dtype == value.dtype and np.array_equal(found, value):
                return stem
        name = self.fresh(stem)
        item = numpy_helper.from_array(np.asarray(value, order="C"), name)
        self.initializers[name] = item
        self._added.append(item)
        return name

    def add(
        self,
        op_type: str,
        inputs: Iterable[str],
        outputs: Iterable[str],
        *,
        before: NodeProto,
        name: str = "",
        domain: str = "",
        **attributes: Any,
    ) -> NodeProto:
        """Insert a node in front of `before`, which must come after all of its inputs."""
        node: NodeProto = helper.make_node(
            op_type, list(inputs), list(outputs), name=name, domain=domain, **attributes
        )
        self.nodes.insert(self.position(before), node)
        self._index(node)
        return node

    def position(self, node: NodeProto) -> int:
        return next(i for i, other in enumerate(self.nodes) if other is node)

    def remove(self, node: NodeProto) -> None:
        self.nodes.pop(self.position(node))
        for name in node.output:
            if self.producer.get(name) is node:
                del self.producer[name]
        for name in node.input:
            uses = self.consumers.get(name, [])
            self.consumers[name] = [use for use in uses if use is not node]

    def redirect(self, old: str, new: str) -> None:
        """Let every reader of `old` read `new`."""
        for node in self.consumers.pop(old, []):
            for i, name in enumerate(node.input):
                if name == old:
                    node.input[i] = new
            if not any(use is node for use in self.consumers.setdefault(new, [])):
                self.consumers[new].append(node)

    def finish(self) -> ModelProto:
        """Drop what no output needs and write nodes and initializers back into the model."""
        alive = live_nodes(self.nodes, self.outputs)
        used = {name for node in alive for name in node.input} | self.outputs
        del self.graph.node[:]
        self.graph.node.extend(alive)
        kept = self.graph.initializer
        for i in reversed(range(len(kept))):
            if kept[i].name not in used:
                del kept[i]
        kept.extend(item for item in self._added if item.name in used)
        del self.graph.value_info[:]
        return self.model


def live_nodes(nodes: Iterable[NodeProto], outputs: Iterable[str]) -> list[NodeProto]:
    """The nodes that `outputs` depend on, in their order; `nodes` must be sorted."""
    needed = set(outputs)
    alive = []
    for node in reversed(list(nodes)):
        if any(name in needed for name in node.output):
            alive.append(node)
            needed.update(node.input)
    return alive[::-1]


def num_axes(value: ValueInfoProto) -> int:
    """Of an input or output of a graph."""
    return len(value.type.tensor_type.shape.dim)


def rows_of(editor: GraphEditor, name: str, before: NodeProto) -> str:
    """An input as (rows, length): of one with axes between batch and length, these folded into the batch."""
    last = next(num_axes(item) for item in editor.graph.input if item.name == name)
    if last == 2:
        return name
    length, shape, found = (editor.fresh(f"{name}_{part}") for part in ("length", "shape", "rows"))
    all_rows = editor.add_constant("all_rows", np.array([-1], dtype=np.int64), shared=True)
    editor.add("Shape", [name], [length], before=before, name="rows/Shape", start=last - 1, end=last)
    editor.add("Concat", [all_rows, length], [shape], before=before, name="rows/Concat", axis=0)
    editor.add("Reshape", [name, shape], [found], before=before, name="rows/Reshape")
    return found


def attributes_of(node: NodeProto) -> dict[str, Any]:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def set_perm(transpose: NodeProto, perm: Sequence[int]) -> None:
    """In place of the order of axes that a Transpose has."""
    del transpose.attribute[:]
    transpose.attribute.append(helper.make_attribute("perm", perm))


def set_opset(model: ModelProto, version: int, domain: str = "") -> None:
    for item in model.opset_import:
        if item.domain == domain:
            item.version = version
            return
    model.opset_import.append(helper.make_opsetid(domain, version))
