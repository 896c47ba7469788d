"""Mask gradients of each row, and the scores of heads and units that come of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.pruning.extract import extract
from compresskit.supernet.importance import Importance
from compresskit.supernet.surgery import PassThrough, blueprint_of

Batch = dict[str, torch.Tensor]
Loss = Callable[[nn.Module, Batch], torch.Tensor]


@dataclass(frozen=True, eq=False)
class MaskGradients:
    """Slope of each row's own loss in each member's mask, at a mask of 1; 0 for members that are gone.

    `heads`: (rows, num_layers, num_heads); `units`: (rows, num_layers, num_units), both on the CPU.
    """

    heads: torch.Tensor
    units: torch.Tensor

    def fisher(self) -> Importance:
        """Diagonal Fisher information: sums over rows of squared slopes (Kwon et al. 2022, equation 6)."""
        return Importance(*(found.double().square().sum(0) for found in (self.heads, self.units)))


def mask_gradients(
    model: nn.Module, architecture: Architecture, batches: Iterable[Batch], loss: Loss
) -> MaskGradients:
    """Of the sub-network `architecture` of `model`, row by row.

    A member's mask multiplies what it feeds to its output projection (Kwon et al. 2022, arXiv
    2204.09656, equation 1). `loss` is a mean over the rows of a batch. `model` stays as it is.
    """
    blueprint = blueprint_of(model)
    family, dims = blueprint.family, blueprint.dims
    network = extract(model, architecture).eval()
    for parameter in network.parameters():  # enough for a graph through every member, and cheap
        parameter.requires_grad_(parameter.dim() == 1)
    found: dict[tuple[int, str], torch.Tensor] = {}

    def watch(key: tuple[int, str], size: int) -> Callable[[nn.Module, tuple[torch.Tensor]], None]:
        def before(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
            (value,) = inputs  # (batch, length, members x size)

            def gradient(slope: torch.Tensor) -> None:
                of_rows = (value.detach() * slope).sum(1).view(len(value), -1, size).sum(-1)
                found[key] = (of_rows * len(value)).float().cpu()  # (batch, members)

            value.register_hook(gradient)  # type: ignore[no-untyped-call]

        return before

    for place, layer in enumerate(architecture.kept_layers):
        for name, size in ((family.attention_output, dims.head_size), (family.down, 1)):
            module = _sub_layer(network, f"{family.stem}.{place}.{name}")
            if module is not None:
                module.register_forward_pre_hook(watch((layer, name), size))
    heads, units = [], []
    for batch in batches:
        found.clear()
        network.zero_grad(set_to_none=True)
        loss(network, batch).backward()  # type: ignore[no-untyped-call]
        rows = len(batch["input_ids"])
        of_heads = torch.zeros(rows, dims.num_layers, dims.num_heads)
        of_units = torch.zeros(rows, dims.num_layers, dims.num_units)
        for (layer, name), slopes in found.items():
            kept = architecture.layers[layer]
            if name == family.down:
                of_units[:, layer, list(kept.units.indices)] = slopes
            else:
                of_heads[:, layer, list(kept.heads.indices)] = slopes
        heads.append(of_heads)
        units.append(of_units)
    if not heads:
        raise ValueError("mask gradients need at least one batch")
    return MaskGradients(torch.cat(heads), torch.cat(units))


def _sub_layer(network: nn.Module, name: str) -> nn.Module | None:
    """The module, or None where it or what holds it was replaced by a pass-through."""
    module = network
    for part in name.split("."):
        if isinstance(module, PassThrough):
            return None
        module = module.get_submodule(part)
    return None if isinstance(module, PassThrough) else module
