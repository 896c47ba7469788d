"""Where a model family keeps its heads, units and layers: names and rules, no tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from compresskit.architecture import Architecture, Dimensions
from compresskit.slicing import Cut, Index, SlicingPlan

# What a module that computes nothing returns in place of its output.
FIRST = "first"  # its first argument
SECOND = "second"  # its second argument (a residual)
FIRST_PAIR = "first_pair"  # (its first argument, None), as attention modules return
ZERO = "zero"  # 0.0: the residual is added by the caller
ZERO_PAIR = "zero_pair"  # (0.0, None)


@dataclass(frozen=True)
class Family:
    """The layout of one model type's encoder. Module names are relative to one layer.

    A layer is `norm(x + attention_output(attention(query, key, value)))` followed by
    `norm(x + down(activation(up(x))))`; every supported family has this shape.
    """

    model_type: str
    stem: str  # the list of layers, e.g. "bert.encoder.layer"
    query: str
    key: str
    value: str
    attention_output: str
    up: str
    down: str
    attention: tuple[str, ...]  # prefixes of all parameters that belong to attention
    feed_forward: tuple[str, ...]
    without_heads: Mapping[str, str]  # module -> what it returns when no head stays
    without_units: Mapping[str, str]
    once_linears: tuple[str, ...]  # Linear layers applied once a text, after the encoder
    token_linears: tuple[str, ...] = ()  # Linear layers applied to each token before the encoder

    def plan(self, architecture: Architecture, blueprint: Blueprint) -> SlicingPlan:
        """Slicing plan for the model of `blueprint`.

        Layers that stay are numbered anew from 0. Raises ArchitectureError when it does not fit.
        """
        dims = blueprint.dims
        architecture.check(dims)
        position = {old: new for new, old in enumerate(architecture.kept_layers)}
        rules = {old: self._layer_rules(architecture, dims, old) for old in position}
        cuts: dict[str, Cut] = {}
        for name in blueprint.shapes:
            if not name.startswith(f"{self.stem}."):
                cuts[name] = Cut(name)
                continue
            number, _, inner = name[len(self.stem) + 1 :].partition(".")
            layer = int(number)
            if layer not in position or self._is_absent(architecture, layer, inner):
                continue
            cuts[f"{self.stem}.{position[layer]}.{inner}"] = Cut(name, rules[layer].get(inner, ()))
        identities: dict[str, str] = {}
        for old, new in position.items():
            choice = architecture.layers[old]
            absent = {} if choice.heads.mask else dict(self.without_heads)
            absent |= {} if choice.units.mask else dict(self.without_units)
            identities |= {f"{self.stem}.{new}.{module}": rule for module, rule in absent.items()}
        return SlicingPlan(cuts, identities)

    def _is_absent(self, architecture: Architecture, layer: int, inner: str) -> bool:
        choice = architecture.layers[layer]
        return (not choice.heads.mask and inner.startswith(self.attention)) or (
            not choice.units.mask and inner.startswith(self.feed_forward)
        )

    def _layer_rules(
        self, architecture: Architecture, dims: Dimensions, layer: int
    ) -> dict[str, tuple[Index | None, ...]]:
        choice = architecture.layers[layer]
        rules: dict[str, tuple[Index | None, ...]] = {}
        if choice.heads.count < dims.num_heads:
            heads = np.asarray(choice.heads.indices, dtype=np.int64)
            rows = (heads[:, None] * dims.head_size + np.arange(dims.head_size)).reshape(-1)
            for module in (self.query, self.key, self.value):
                rules[f"{module}.weight"] = (rows, None)
                rules[f"{module}.bias"] = (rows,)
            rules[f"{self.attention_output}.weight"] = (None, rows)
        if choice.units.count < dims.num_units:
            units = np.asarray(choice.units.indices, dtype=np.int64)
            rules[f"{self.up}.weight"] = (units, None)
            rules[f"{self.up}.bias"] = (units,)
            rules[f"{self.down}.weight"] = (None, units)
        return rules


@dataclass(frozen=True)
class Blueprint:
    """A dense model as the search sees it: its family, sizes, and the shape of each parameter.

    `shapes` lists a tied parameter once.
    """

    family: Family
    dims: Dimensions
    shapes: Mapping[str, tuple[int, ...]]

    def plan(self, architecture: Architecture) -> SlicingPlan:
        return self.family.plan(architecture, self)

    def num_params(self, architecture: Architecture) -> int:
        """Parameters of the pruned model, embeddings and head included."""
        return sum(prod(shape) for shape in self.plan(architecture).shapes(self.shapes).values())

    def macs(self, architecture: Architecture, length: int, batch: int = 1) -> int:
        """Multiply-accumulates of all matrix products for `batch` texts of `length` tokens.

        Element-wise work and table look-ups are not counted.
        """
        dims = self.dims
        per_token = sum(
            heads * dims.head_weight
            + 2 * length * heads * dims.head_size  # scores, context
            + units * dims.unit_weight
            for heads, units in architecture.shapes
        )
        per_token += self._weights(self.family.token_linears)
        return batch * (length * per_token + self._weights(self.family.once_linears))

    def _weights(self, modules: tuple[str, ...]) -> int:
        names = (f"{module}.weight" for module in modules)
        return sum(prod(self.shapes[name]) for name in names if name in self.shapes)

    def to_json(self) -> dict[str, Any]:
        sizes = {field: getattr(self.dims, field) for field in Dimensions.__slots__}
        shapes = {name: list(shape) for name, shape in self.shapes.items()}
        return {"model_type": self.family.model_type, "dims": sizes, "shapes": shapes}


def bert_like(
    model_type: str, stem: str, once_linears: tuple[str, ...], token_linears: tuple[str, ...] = ()
) -> Family:
    """A family whose layers, listed at `stem`, are laid out as BERT's; the rest is around them."""
    return Family(
        model_type=model_type,
        stem=stem,
        query="attention.self.query",
        key="attention.self.key",
        value="attention.self.value",
        attention_output="attention.output.dense",
        up="intermediate.dense",
        down="output.dense",
        attention=("attention.",),
        feed_forward=("intermediate.", "output."),
        without_heads={"attention": FIRST_PAIR},
        without_units={"intermediate": FIRST, "output": SECOND},
        once_linears=once_linears,
        token_linears=token_linears,
    )
