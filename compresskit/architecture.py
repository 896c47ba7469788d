"""What a sub-network keeps of its super-network, as one small value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from compresskit.blocks import BlockPlan
from compresskit.errors import ArchitectureError
from compresskit.kept import Kept

PRECISIONS = ("fp32", "fp16", "int8")
BLOCKS_MARK = " blocks "


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Sizes of a dense encoder. `num_units` is the width of the feed-forward layer.

    `head_parts` and `unit_parts`: in how many projections, or parts of one, a head or unit has weights.
    Runs from before there were gates lack both.
    """

    num_layers: int
    num_heads: int
    head_size: int
    num_units: int
    hidden_size: int
    head_parts: int = 4  # query, key, value, output
    unit_parts: int = 2  # up, down

    @classmethod
    def from_json(cls, value: Mapping[str, int]) -> Dimensions:
        """Of what `asdict` gave; KeyError, or what `value` raises, for a size that is missing."""
        known = [item.name for item in fields(cls) if item.name in value or item.default is MISSING]
        return cls(**{name: value[name] for name in known})

    @property
    def head_weight(self) -> int:
        """Weights of one head, in all its projections."""
        return self.head_parts * self.hidden_size * self.head_size

    @property
    def unit_weight(self) -> int:
        """Weights of one feed-forward unit."""
        return self.unit_parts * self.hidden_size

    @property
    def layer_weight(self) -> int:
        """Weights of all heads and units of a layer."""
        return self.num_heads * self.head_weight + self.num_units * self.unit_weight


@dataclass(frozen=True, slots=True)
class Layer:
    """One encoder layer; without heads (or units) its attention (or feed-forward) is the identity."""

    heads: Kept
    units: Kept

    def kept(self, kind: str) -> Kept:
        """Of its `heads` or its `units`."""
        return self.heads if kind == "heads" else self.units

    @property
    def is_dropped(self) -> bool:
        return not self.heads.mask and not self.units.mask


@dataclass(frozen=True, slots=True)
class Architecture:
    """All layers of the super-network, dropped ones included, with what each keeps."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if all(layer.is_dropped for layer in self.layers):
            raise ArchitectureError("no layer is left; keep at least one head or unit in one layer.")
        totals = {(layer.heads.total, layer.units.total) for layer in self.layers}
        if len(totals) != 1:
            raise ArchitectureError(f"layers differ in their dense sizes: {sorted(totals)}.")

    @classmethod
    def full(cls, dims: Dimensions) -> Architecture:
        return cls.uniform(dims, range(dims.num_layers), dims.num_heads, dims.num_units)

    @classmethod
    def uniform(cls, dims: Dimensions, layers: Iterable[int], heads: int, units: int) -> Architecture:
        """The first `heads` heads and `units` units in each of `layers`; other layers are dropped."""
        chosen = set(layers)
        if not chosen <= set(range(dims.num_layers)):
            raise ArchitectureError(f"layers {sorted(chosen)} are not all in 0 to {dims.num_layers - 1}.")
        return cls.of_counts(
            dims, [(heads, units) if i in chosen else (0, 0) for i in range(dims.num_layers)]
        )

    @classmethod
    def of_counts(cls, dims: Dimensions, counts: Sequence[tuple[int, int]]) -> Architecture:
        """One (heads, units) pair a layer; the first of each are kept."""
        if len(counts) != dims.num_layers:
            raise ArchitectureError(f"{len(counts)} layers given; the model has {dims.num_layers}.")
        return cls(
            tuple(Layer(Kept.first(dims.num_heads, h), Kept.first(dims.num_units, u)) for h, u in counts)
        )

    @property
    def kept_layers(self) -> tuple[int, ...]:
        return tuple(i for i, layer in enumerate(self.layers) if not layer.is_dropped)

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """(heads, units) of each layer that stays."""
        return tuple((each.heads.count, each.units.count) for each in self.layers if not each.is_dropped)

    def relative_size(self, dims: Dimensions) -> float:
        """Weights in kept heads and units relative to those of a model of `dims`, in (0, 1]."""
        head, unit = dims.head_weight, dims.unit_weight
        kept = sum(layer.heads.count * head + layer.units.count * unit for layer in self.layers)
        return kept / (dims.num_layers * dims.layer_weight)

    @property
    def signature(self) -> str:
        """Shapes only: architectures of one signature share one latency."""
        return ",".join(f"{heads}x{units}" for heads, units in self.shapes)

    def check(self, dims: Dimensions) -> None:
        """Raise ArchitectureError unless this architecture is one of a model of `dims`."""
        first = self.layers[0]
        found = (len(self.layers), first.heads.total, first.units.total)
        wanted = (dims.num_layers, dims.num_heads, dims.num_units)
        if found != wanted:
            raise ArchitectureError(
                "architecture of {} layers, {} heads, {} units does not fit a model of "
                "{} layers, {} heads, {} units.".format(*found, *wanted)
            )

    def to_json(self) -> dict[str, Any]:
        first = self.layers[0]
        return {
            "num_heads": first.heads.total,
            "num_units": first.units.total,
            "heads": [layer.heads.to_json() for layer in self.layers],
            "units": [layer.units.to_json() for layer in self.layers],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Architecture:
        known = {"num_heads", "num_units", "heads", "units"}
        if set(value) != known:
            raise ArchitectureError(f"architecture has keys {sorted(value)}; permitted: {sorted(known)}.")
        if len(value["heads"]) != len(value["units"]):
            raise ArchitectureError("architecture lists heads and units of different numbers of layers.")
        return cls(
            tuple(
                Layer(Kept.from_json(value["num_heads"], h), Kept.from_json(value["num_units"], u))
                for h, u in zip(value["heads"], value["units"], strict=True)
            )
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """What search evaluates: an architecture, the precision it runs in, the blocks inside its matrices."""

    architecture: Architecture
    precision: str = "fp32"
    blocks: BlockPlan | None = None

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ArchitectureError(
                f"precision {self.precision!r} is not known; permitted: {', '.join(PRECISIONS)}."
            )

    @property
    def signature(self) -> str:
        """Shapes only, those of blocks as a digest: candidates of one signature share one latency."""
        if self.blocks is None:
            return self.architecture.signature
        return f"{self.architecture.signature}{BLOCKS_MARK}{self.blocks.signature}"

    def to_json(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture.to_json(),
            "precision": self.precision,
            "blocks": None if self.blocks is None else self.blocks.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Candidate:
        """From a value that may hold more than a candidate's keys; without `blocks` there are none."""
        blocks = value.get("blocks")
        return cls(
            Architecture.from_json(value["architecture"]),
            value["precision"],
            None if blocks is None else BlockPlan.from_json(blocks),
        )
