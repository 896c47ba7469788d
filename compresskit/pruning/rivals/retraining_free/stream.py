"""A batch on its way through an encoder, layer by layer, with what each sub-layer is fed and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from compresskit.families import Family
from compresskit.families.base import HEADS, UNITS, Block
from compresskit.inputs import TEXT
from compresskit.supernet.mask_slopes import Batch
from compresskit.supernet.pass_through import sub_layer


@dataclass(frozen=True, eq=False)
class SubLayer:
    """One sub-layer in one run; each is (batch, length, size).

    `fed`: what its output projection is fed; `residual`: what is added to the projection's `output`.
    """

    fed: torch.Tensor
    output: torch.Tensor
    residual: torch.Tensor


@dataclass(frozen=True, eq=False)
class Observed:
    """One layer in one run: its output, and the sub-layers that it has, by the kind of their members."""

    sub_layers: dict[str, SubLayer]
    output: torch.Tensor


class LayerCall:
    """How a model calls its layers on one batch, found by running it once.

    `states`: what the first layer is called with, (batch, length, hidden); `mask`: where there are tokens.
    """

    def __init__(self, model: nn.Module, family: Family, batch: Batch) -> None:
        called: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        first = model.get_submodule(f"{family.stem}.0")
        handle = first.register_forward_pre_hook(
            lambda _, positional, named: called.append((positional, named)), with_kwargs=True
        )
        try:
            model(**{name: value for name, value in batch.items() if name != "labels"})
        finally:
            handle.remove()
        self._positional, self._named = called[0]
        self._family = family
        self.states: torch.Tensor = self._positional[0] if self._positional else self._named["hidden_states"]
        self.mask = TEXT.real(batch).bool()

    def run(self, layer: nn.Module, states: torch.Tensor) -> torch.Tensor:
        """Output of a layer of this model, or of one pruned from it, on `states`."""
        positional, named = self._positional, self._named
        if positional:
            positional = (states, *positional[1:])
        else:
            named = {**named, "hidden_states": states}
        output = layer(*positional, **named)
        found: torch.Tensor = output[0] if isinstance(output, tuple) else output
        return found

    def observe(self, layer: nn.Module, states: torch.Tensor) -> Observed:
        """Run a layer on `states` and look inside."""
        fed: dict[str, torch.Tensor] = {}
        given: dict[str, torch.Tensor] = {}

        def watch(name: str, module: nn.Module) -> Any:
            def after(_: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
                fed[name], given[name] = inputs[0], output

            return module.register_forward_hook(after)

        blocks = self._family.blocks
        names = {block.writes for block in blocks.values()} | {_entry(blocks[UNITS])}
        present = {name: module for name in names if (module := sub_layer(layer, name)) is not None}
        handles = [watch(name, module) for name, module in present.items()]
        try:
            output = self.run(layer, states)
        finally:
            for handle in handles:
                handle.remove()
        found = {}
        for kind, block in blocks.items():
            if block.writes in present:
                residual = states if kind == HEADS else fed[_entry(block)]
                found[kind] = SubLayer(fed[block.writes], given[block.writes], residual)
        return Observed(found, output)


def _entry(block: Block) -> str:
    """The module of a block that reads the residual stream itself."""
    return block.norm_before or next(iter(block.reads))
