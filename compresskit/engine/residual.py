"""Where the blocks of an exported graph leave the residual stream, and where they are added to it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnx import NodeProto

from compresskit.errors import EngineError
from compresskit.families import Family
from compresskit.families.base import Block


class NotCutError(EngineError):
    """The blocks of a graph are not found, so that it cannot be cut to an architecture."""


@dataclass(frozen=True)
class BlockSpan:
    """The value of the residual stream that a block reads, and the one that it leaves in its place."""

    entry: str
    exit: str


class ResidualStream:
    """Finds blocks by the parameters that `family` says are theirs, and by the graph's own structure."""

    def __init__(self, nodes: Sequence[NodeProto], family: Family) -> None:
        self._family = family
        self._producer = {name: node for node in nodes for name in node.output}
        self._readers: dict[str, list[NodeProto]] = {}
        for node in nodes:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)

    def sub_layers(self, layer: int) -> dict[str, BlockSpan]:
        """The blocks of a layer by the kind of their members. NotCutError where they are not found."""
        return {kind: self._sub_layer(layer, block) for kind, block in self._family.blocks.items()}

    def _sub_layer(self, layer: int, block: Block) -> BlockSpan:
        """Follow a block from what it reads to where it is added to that, and through its own norms."""
        stem = f"{self._family.stem}.{layer}."
        owned = tuple(stem + prefix for prefix in block.owns)
        entry = self._only_reader(f"{stem}{next(iter(block.reads))}.weight").input[0]
        value = self._only_reader(f"{stem}{block.writes}.weight").output[0]
        before = self._producer.get(entry)
        if before is not None:
            entry = self._normed(before, owned) or entry
        while entry not in (node := self._only_reader(value)).input or node.op_type != "Add":
            value = node.output[0]
        value = node.output[0]
        after = self._readers.get(value, [])
        if len(after) == 1 and _is_norm(after[0], owned):
            value = after[0].output[0]
        return BlockSpan(entry, value)

    def _normed(self, node: NodeProto, owned: tuple[str, ...]) -> str | None:
        """What a norm of this block reads, where `node` is its last operator: one, or several written out."""
        if _is_norm(node, owned):
            return str(node.input[0])
        scaled = self._producer.get(node.input[0])
        if node.op_type != "Mul" or not node.input[1].startswith(owned) or scaled is None:
            return None
        return str(scaled.input[0]) if scaled.op_type == "Div" else None

    def _only_reader(self, value: str) -> NodeProto:
        found = self._readers.get(value, [])
        if len(found) != 1:
            raise NotCutError(
                f"the graph of this {self._family.model_type} model cannot be cut: {len(found)} operators "
                f"read {value!r}, not one."
            )
        return found[0]


def _is_norm(node: NodeProto, owned: tuple[str, ...]) -> bool:
    """Whether it is a norm with a weight of this block."""
    weight: str = node.input[1] if node.op_type.endswith("Normalization") else ""
    return weight.startswith(owned)
