"""What hard pruning left of a model: masks over its parameters, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from compresskit.architecture import Architecture, Layer
from compresskit.blocks import OUTPUTS, BlockMatrix, BlockPlan, Partition
from compresskit.families import Blueprint
from compresskit.kept import Kept


@dataclass(frozen=True, eq=False)
class PrunedBlocks:
    """Masks of a dense model whose groups were pruned, in the dense model's shapes.

    `masks`: parameter -> True where it stays, the biases of dead heads and units included;
    `heads` (layers, heads) and `units` (layers, units): True where any weight of a member is left.
    """

    blueprint: Blueprint
    partitions: Mapping[str, Partition]
    masks: Mapping[str, torch.Tensor]
    heads: torch.Tensor
    units: torch.Tensor

    @property
    def architecture(self) -> Architecture:
        """Heads and units that died in every block are gone."""
        return Architecture(
            tuple(
                Layer(_kept(heads), _kept(units)) for heads, units in zip(self.heads, self.units, strict=True)
            )
        )

    def plan(self) -> BlockPlan:
        """Block structure of every pruned matrix, in the sub-network that `architecture` is."""
        matrices: dict[str, BlockMatrix] = {}
        for name, cut in self.blueprint.plan(self.architecture).cuts.items():
            partition = self.partitions.get(cut.source.removesuffix(".weight"))
            if partition is None or not name.endswith(".weight"):
                continue
            dense = self.masks[cut.source].cpu().numpy()
            dim = 0 if partition.axis == OUTPUTS else 1
            stays = cut.keep[dim] if dim < len(cut.keep) else None
            ends = np.cumsum(partition.widths(dense.shape))
            where = np.arange(dense.shape[dim]) if stays is None else stays
            edges = np.searchsorted(where, np.concatenate([[0], ends]))
            mask = cut.apply(dense)
            matrices[name.removesuffix(".weight")] = BlockMatrix.of_mask(
                mask, partition.axis, np.diff(edges).tolist()
            )
        return BlockPlan.of(matrices)

    @property
    def rate(self) -> float:
        """Weights of the pruned matrices in the dense model, over those that are left."""
        masks = [self.masks[f"{module}.weight"] for module in self.partitions]
        return sum(mask.numel() for mask in masks) / sum(int(mask.sum()) for mask in masks)

    @torch.no_grad()
    def apply(self, model: nn.Module) -> None:
        """Set what was pruned to zero, in place."""
        for name, mask in self.masks.items():
            parameter = model.get_parameter(name)
            parameter.mul_(mask.to(parameter.device))


def masks_of(plan: BlockPlan, architecture: Architecture, blueprint: Blueprint) -> dict[str, torch.Tensor]:
    """Masks, in the dense model's shapes, of the matrices of a `plan` of the sub-network `architecture`."""
    found = {}
    cuts = blueprint.plan(architecture).cuts
    for name, matrix in plan.items():
        cut = cuts[f"{name}.weight"]
        shape = blueprint.shapes[cut.source]
        keep = (*cut.keep, None, None)[:2]
        rows, columns = (
            np.arange(size) if index is None else index for size, index in zip(shape, keep, strict=True)
        )
        mask = np.zeros(shape, dtype=np.bool_)
        mask[np.ix_(rows, columns)] = matrix.mask()
        found[cut.source] = torch.from_numpy(mask)
    return found


def _kept(stays: torch.Tensor) -> Kept:
    return Kept.of(len(stays), stays.nonzero().flatten().tolist())


class HoldAtZero(TrainerCallback):  # type: ignore[misc]
    """Keeps pruned groups at zero after every step, whatever momentum and decay would make of them."""

    def __init__(self, model: nn.Module, masks: Mapping[str, torch.Tensor]) -> None:
        self.parameters: list[torch.Tensor] = [model.get_parameter(name) for name in masks]
        self.masks = list(masks.values())

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        # In the weights' own type: a product with booleans takes thrice as long, at every step.
        self.masks = [mask.to(weight) for mask, weight in zip(self.masks, self.parameters, strict=True)]

    @torch.no_grad()
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        torch._foreach_mul_(self.parameters, self.masks)
