"""A dense model as names and shapes: what is cut of it, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from compresskit.architecture import Architecture, Dimensions
from compresskit.families.base import HEADS, Block, Family
from compresskit.slicing import HEAD_IDS, Cut, Index, SlicingPlan


@dataclass(frozen=True)
class Projection:
    """A Linear module whose weight holds the heads or units (`kind`) of a layer.

    They lie along dimension `dim`: as rows where it reads the residual stream, as columns where it writes.
    For each of `parts`, one part after another, every one of the `total` members has `size` of them.
    """

    module: str
    kind: str
    dim: int
    parts: tuple[str, ...]
    total: int
    size: int
    has_bias: bool

    @property
    def reads(self) -> bool:
        return self.dim == 0

    def places(self, members: Index) -> Index:
        """The rows or columns of these members, in each part in the order given."""
        within = (members[:, None] * self.size + np.arange(self.size)).reshape(-1)
        starts = np.arange(len(self.parts)) * (self.total * self.size)
        return np.asarray((starts[:, None] + within).reshape(-1), dtype=np.int64)


@dataclass(frozen=True)
class Blueprint:
    """A dense model as the search sees it: its family, sizes, and the shape of each parameter.

    `shapes` lists a tied parameter once.
    """

    family: Family
    dims: Dimensions
    shapes: Mapping[str, tuple[int, ...]]

    def projections(self, layer: int) -> Iterator[Projection]:
        """Those of a layer: attention before feed-forward, and in each what reads before what writes."""
        for kind, block in self.family.blocks.items():
            total = self.dims.num_heads if kind == HEADS else self.dims.num_units
            for name, parts in (*block.reads.items(), *self._of_distances(block), (block.writes, ("",))):
                module = f"{self.family.stem}.{layer}.{name}"
                dim = 1 if name == block.writes else 0
                size = self.shapes[f"{module}.weight"][dim] // (len(parts) * total)
                yield Projection(module, kind, dim, parts, total, size, f"{module}.bias" in self.shapes)

    def _of_distances(self, block: Block) -> list[tuple[str, tuple[str, ...]]]:
        """The projections of distances that the model has."""
        reads = {} if block.distances is None else block.distances.reads
        start = f"{self.family.stem}.0."
        return [each for each in reads.items() if f"{start}{each[0]}.weight" in self.shapes]

    def output(self, layer: int, kind: str) -> Projection:
        """The projection through which the heads or units of a layer act on the residual stream."""
        return next(each for each in self.projections(layer) if each.kind == kind and not each.reads)

    def kinds(self, config: Any) -> list[tuple[object, ...]]:
        """What tells modules of layers apart: entries of a configuration's lists, and names of parameters."""
        lists = [getattr(config, name) for name in self.family.layer_lists]
        found: list[tuple[object, ...]] = []
        for layer in range(self.dims.num_layers):
            start = f"{self.family.stem}.{layer}."
            names = frozenset(name.removeprefix(start) for name in self.shapes if name.startswith(start))
            found.append((*(entries[layer] for entries in lists), names))
        return found

    def plan(self, architecture: Architecture) -> SlicingPlan:
        """Layers that stay are renumbered from 0. Raises ArchitectureError when it does not fit."""
        architecture.check(self.dims)
        stem = self.family.stem
        position = {old: new for new, old in enumerate(architecture.kept_layers)}
        rules = {name: keep for old in position for name, keep in self._rules(architecture, old)}
        cuts: dict[str, Cut] = {}
        for name in self.shapes:
            if not name.startswith(f"{stem}."):
                cuts[name] = Cut(name)
                continue
            number, _, inner = name[len(stem) + 1 :].partition(".")
            layer = int(number)
            if layer in position and not inner.startswith(self._absent(architecture, layer)):
                cuts[f"{stem}.{position[layer]}.{inner}"] = Cut(name, rules.get(name, ()))
        identities = {
            f"{stem}.{new}.{module}": rule
            for old, new in position.items()
            for kind, block in self.family.blocks.items()
            if not architecture.layers[old].kept(kind).mask
            for module, rule in block.empty.items()
        }
        counts = {
            f"{stem}.{new}.{block.count}": architecture.layers[old].kept(kind).count
            for old, new in position.items()
            for kind, block in self.family.blocks.items()
            if block.count and architecture.layers[old].kept(kind).mask
        }
        return SlicingPlan(cuts, identities, dict(self._heads(architecture, position)), counts)

    def _heads(self, architecture: Architecture, position: Mapping[int, int]) -> Iterator[tuple[str, Cut]]:
        told = self.family.attention.told
        for old, new in position.items():
            kept = architecture.layers[old].heads
            if told is not None and kept.mask:
                names = (f"{self.family.stem}.{layer}.{told.module}.{HEAD_IDS}" for layer in (new, old))
                name, source = names
                yield name, Cut(source, (np.asarray(kept.indices, dtype=np.int64),))

    def _absent(self, architecture: Architecture, layer: int) -> tuple[str, ...]:
        """Prefixes, relative to a layer, of the parameters that it lost with all members of a block."""
        blocks, choice = self.family.blocks, architecture.layers[layer]
        return tuple(name for kind in blocks if not choice.kept(kind).mask for name in blocks[kind].owns)

    def _rules(
        self, architecture: Architecture, layer: int
    ) -> Iterator[tuple[str, tuple[Index | None, ...]]]:
        for each in self.projections(layer):
            kept = architecture.layers[layer].kept(each.kind)
            if kept.count == each.total:
                continue
            places = each.places(np.asarray(kept.indices, dtype=np.int64))
            yield f"{each.module}.weight", (places, None) if each.reads else (None, places)
            if each.reads:
                yield f"{each.module}.bias", (places,)

    def num_params(self, architecture: Architecture) -> int:
        """Parameters of the pruned model, embeddings and head included."""
        return sum(prod(shape) for shape in self.plan(architecture).shapes(self.shapes).values())

    @property
    def tokens(self) -> int | None:
        """Of each image; None where rows differ in length."""
        patches = self.family.patches
        return None if patches is None else self.shapes[patches.positions][-2]

    def macs(self, architecture: Architecture, length: int, batch: int = 1) -> int:
        """Multiply-accumulates of all matrix products for `batch` texts of `length` tokens, or images.

        Element-wise work and table look-ups are not counted. A table of distances is projected once a batch.
        """
        length = self.tokens or length
        weights = dict.fromkeys(self.family.blocks, 0)  # of one member, in all its projections
        apart = [f"{self.family.stem}.0.{name}" for name, _ in self._of_distances(self.family.attention)]
        for each in self.projections(0):
            if each.module not in apart:
                weights[each.kind] += prod(self.shapes[f"{each.module}.weight"]) // each.total
        size, distances = self.output(0, HEADS).size, self._num_distances() * (len(apart) or 2)
        products = (2 * length + distances) * size  # of a head and a token: scores, context
        head, unit = weights.values()
        per_token = sum(heads * (head + products) + units * unit for heads, units in architecture.shapes)
        per_token += self._weights(self.family.token_linears)
        once = self._weights(self.family.once_linears)
        if patches := self.family.patches:
            once += (length - patches.special) * self._weights((patches.projection,))
        table = distances * size * self.dims.hidden_size * sum(heads for heads, _ in architecture.shapes)
        return table + batch * (length * per_token + once)

    def _num_distances(self) -> int:
        """Rows of the table of distances, 0 where there is none."""
        distances = self.family.attention.distances
        name = "" if distances is None else f"{distances.table}.weight"
        return self.shapes[name][0] if name in self.shapes else 0

    def _weights(self, modules: tuple[str, ...]) -> int:
        names = (f"{module}.weight" for module in modules)
        return sum(prod(self.shapes[name]) for name in names if name in self.shapes)

    def to_json(self) -> dict[str, Any]:
        sizes = {field: getattr(self.dims, field) for field in Dimensions.__slots__}
        shapes = {name: list(shape) for name, shape in self.shapes.items()}
        return {"model_type": self.family.model_type, "dims": sizes, "shapes": shapes}
