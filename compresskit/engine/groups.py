"""Queries that share keys and values: attention over groups, in place of keys repeated for each query.

Torch repeats keys and values to as many heads as there are queries, and writes that number down. Here
queries are (batch, groups, queries of a group, length, size) and keys (batch, groups, 1, length, size): a
product of both repeats nothing, and the number of groups is left open.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import NodeProto

from compresskit.engine.editing import GraphEditor, set_perm
from compresskit.errors import EngineError

_BEFORE = [0, 2, 3, 1, 4]  # (batch, length, groups, queries, size) to (batch, groups, queries, length, size)
_BEHIND = [0, 3, 1, 2, 4]


class Groups:
    """The grouped attentions of a graph. Masks are brought to their rank once."""

    def __init__(self, editor: GraphEditor) -> None:
        self.editor = editor
        self._masks: dict[str, str] = {}

    def undo_repeats(self, node: NodeProto) -> int:
        """Let an Attention node of the exporter read keys and values as they are; returns queries a group."""
        repeats = [self._repeated(value) for value in node.input[1:3]]
        found = {count for count, _ in repeats}
        if len(found) != 1:
            raise EngineError(f"attention node {node.name!r} repeats keys and values unequally.")
        queries = found.pop()
        if queries == 1:
            return 1
        for place, (_, source) in enumerate(repeats, start=1):
            old = node.input[place]
            node.input[place] = source
            self.editor.consumers[old] = [use for use in self.editor.uses(old) if use is not node]
            self.editor.consumers.setdefault(source, []).append(node)
        return queries

    def _repeated(self, value: str) -> tuple[int, str]:
        """How often each head of `value` was repeated, and what it was: Unsqueeze, Expand, Reshape."""
        chain = list(self._chain(value))
        if [node.op_type for node in chain] != ["Reshape", "Expand", "Unsqueeze"]:
            return 1, value
        shape = self.editor.producer.get(chain[1].input[1])
        count = None if shape is None else self.editor.constant(shape.input[2])
        if count is None or count.size != 1:
            raise EngineError(f"how often the heads of {value!r} are repeated is not known.")
        return int(count.reshape(-1)[0]), chain[2].input[0]

    def _chain(self, value: str) -> Iterator[NodeProto]:
        for _ in range(3):
            if (node := self.editor.producer.get(value)) is None:
                return
            yield node
            value = node.input[0]

    def widen(self, attention: NodeProto, merge: NodeProto) -> None:
        """Give the transpositions around an Attention node the rank of groups; `merge`: the last Reshape."""
        for value in attention.input[:3]:
            node = self.editor.producer[value]
            while node.op_type != "Reshape":
                if node.op_type == "Transpose":
                    set_perm(node, _BEFORE)
                node = self.editor.producer[node.input[0]]
        behind = self.editor.producer[merge.input[0]]
        if behind.op_type != "Transpose":
            raise EngineError(f"attention node {attention.name!r} is not followed by Transpose and Reshape.")
        set_perm(behind, _BEHIND)

    def mask(self, mask: str, before: NodeProto) -> str:
        """A mask (batch, 1, queries, keys) as it is added to the scores of groups."""
        if mask and mask not in self._masks:
            axis = self.editor.add_constant("group_axis", np.array([1], dtype=np.int64), shared=True)
            self._masks[mask] = self.editor.fresh(f"{mask}_grouped")
            self.editor.add(
                "Unsqueeze", [mask, axis], [self._masks[mask]], before=before, name="mask/Unsqueeze"
            )
        return self._masks[mask] if mask else ""
