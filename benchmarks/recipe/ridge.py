"""Ridge reconstruction: a sub-network's output projections refitted to what the teacher computes there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.families.base import Family
from compresskit.pruning.extract import extract
from compresskit.supernet.network import SuperNetwork
from compresskit.training.losses import Distillation

STRENGTH = 0.03  # of the ridge, relative to the mean square of what a projection is fed with

Batches = Sequence[dict[str, torch.Tensor]]


@torch.no_grad()
def refit(network: SuperNetwork, architecture: Architecture, teacher: nn.Module, batches: Batches) -> None:
    """Refit the slices of `architecture`, in place, from the first layer to the last.

    Each output projection of attention and of the feed-forward block is moved, by least squares over
    the tokens of `batches`, to where its sum with the residual is that of the teacher's matched layer.
    A ridge holds it near what it was.
    """
    family = network.blueprint.family
    pruned = extract(network.model, architecture).eval()
    teacher.eval()
    for place, source in Distillation().pairs(architecture):
        for block in (ATTENTION, FEED_FORWARD):
            if block.is_absent(architecture, architecture.kept_layers[place]):
                continue
            moments = Moments()
            for batch in batches:
                inputs = {name: value for name, value in batch.items() if name != "labels"}
                tokens = inputs["attention_mask"].bool()
                fed, residual, _ = block.watch(pruned, family, place, inputs)
                _, teachers, output = block.watch(teacher, family, source, inputs)
                moments.add(fed[tokens], (teachers + output - residual)[tokens])
            moments.move(block.projection(pruned, family, place))
    fitted = dict(pruned.named_parameters())
    dense = dict(network.model.named_parameters())
    for name, cut in network.blueprint.plan(architecture).cuts.items():
        kept = cut.apply(dense[cut.source])
        assert kept.untyped_storage().data_ptr() == dense[cut.source].untyped_storage().data_ptr()
        kept.copy_(fitted[name])


@dataclass(frozen=True)
class Block:
    """One of a layer's two blocks: fields of a family that name its output projection, and what its
    residual goes into."""

    output: str
    feeds: str | None  # None: the layer as a whole

    def projection(self, model: nn.Module, family: Family, place: int) -> nn.Linear:
        found = model.get_submodule(f"{family.stem}.{place}.{getattr(family, self.output)}")
        assert isinstance(found, nn.Linear)
        return found

    def is_absent(self, architecture: Architecture, layer: int) -> bool:
        kept = architecture.layers[layer]
        return not (kept.heads if self.feeds is None else kept.units).mask

    def watch(
        self, model: nn.Module, family: Family, place: int, inputs: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the projection is fed, the block's residual, and what the projection gives."""
        path = f"{family.stem}.{place}"
        whole = model.get_submodule(path if self.feeds is None else f"{path}.{getattr(family, self.feeds)}")
        seen: dict[str, torch.Tensor] = {}

        def see(name: str) -> Any:
            def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                seen[name] = args[0] if args else kwargs["hidden_states"]

            return hook

        def see_output(_module: nn.Module, _args: Any, output: torch.Tensor) -> None:
            seen["output"] = output

        linear = self.projection(model, family, place)
        hooks = [
            whole.register_forward_pre_hook(see("residual"), with_kwargs=True),
            linear.register_forward_pre_hook(see("fed"), with_kwargs=True),
            linear.register_forward_hook(see_output),
        ]
        try:
            model(**inputs)
        finally:
            for hook in hooks:
                hook.remove()
        return seen["fed"], seen["residual"], seen["output"]


ATTENTION, FEED_FORWARD = Block("attention_output", None), Block("down", "up")


class Moments:
    """Normal equations of one projection, in double precision: tokens may come in any number."""

    def __init__(self) -> None:
        self.squares: Any = 0.0
        self.products: Any = 0.0

    def add(self, fed: torch.Tensor, wanted: torch.Tensor) -> None:
        """`fed`: (tokens, in), `wanted`: (tokens, out)."""
        rows = torch.cat((fed, torch.ones_like(fed[:, :1])), dim=1).double()  # the last one is the bias
        self.squares = self.squares + rows.T @ rows
        self.products = self.products + rows.T @ wanted.double()

    def move(self, linear: nn.Linear) -> None:
        """Bring `linear` to the least squares, in place."""
        now = torch.cat((linear.weight, linear.bias[:, None]), dim=1).T.double()
        ridge = STRENGTH * self.squares.diagonal()[:-1].mean() * torch.eye(len(now), dtype=now.dtype)
        ridge[-1, -1] = 0.0  # the bias is free
        fitted = now + torch.linalg.solve(self.squares + ridge, self.products - self.squares @ now)
        linear.weight.copy_(fitted[:-1].T)
        linear.bias.copy_(fitted[-1])
