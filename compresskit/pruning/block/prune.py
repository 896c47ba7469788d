"""Hard pruning by group norm, to a budget of weights, and what dies of it."""

from __future__ import annotations

import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.blocks import SCOPES, Partition
from compresskit.errors import ConfigurationError, one_of
from compresskit.families import Blueprint
from compresskit.families.base import HEADS, KEY, QUERY
from compresskit.pruning.block.groups import group_norms, group_sums, spread
from compresskit.pruning.block.matrices import BlockSetting, modules_of, partitions_of
from compresskit.pruning.block.pruned import PrunedBlocks
from compresskit.pruning.masks import member_masks
from compresskit.supernet.surgery import blueprint_of

# Matrices behind the members go first: what dies in them frees budget in those before the members.
_ORDER = ("out", "down", "qkv", "up")


def hard_prune(
    model: nn.Module, setting: BlockSetting, *, scope: str = "matrix", start: Architecture | None = None
) -> PrunedBlocks:
    """Decide which groups of `model` stay; the model itself is not changed.

    `start` is the sub-network that is pruned, by default the whole model; rates are of its matrices.

    The largest groups stay, by norm over the root of their size, until a matrix has 1 / rate of its
    weights; under scope `global` all matrices of one matrix group share one budget and one threshold.
    A head or unit of which no group is left in a matrix is dead in its whole layer; what others had
    there makes room for more groups elsewhere, so that the rate stays the one asked for as long as
    enough is alive. Every matrix keeps one group at least. Raises ConfigurationError for another scope.
    """
    if scope not in SCOPES:
        raise ConfigurationError(one_of("pruning scope", scope, SCOPES))
    blueprint = blueprint_of(model)
    alive = _Alive(blueprint, *member_masks(start or Architecture.full(blueprint.dims)))
    weights = {
        module: model.get_parameter(f"{module}.weight").detach().cpu()
        for group in _ORDER
        for module in modules_of(blueprint, group)
    }
    budgets = {
        module: float(alive.mask(module, weights[module].shape).sum()) / setting[group].rate
        for group in setting
        for module in modules_of(blueprint, group)
    }
    living = {module: budget for module, budget in budgets.items() if budget}
    partitions = {m: cut for m, cut in partitions_of(blueprint, setting).items() if m in living}
    stays: dict[str, torch.Tensor] = {}
    before = -1
    while before != alive.count:  # it only falls
        before = alive.count
        for group in _ORDER:
            if group not in setting:
                continue
            modules = tuple(module for module in modules_of(blueprint, group) if module in living)
            pools = [modules] if scope == "global" and modules else [(module,) for module in modules]
            for pool in pools:
                budget = sum(living[module] for module in pool)
                stays |= _select(weights, pool, setting[group].partition, budget, alive)
            for module in modules:
                alive.bury(module, stays[module])
    masks = {f"{module}.weight": mask & alive.mask(module, mask.shape) for module, mask in stays.items()}
    masks |= alive.other_masks(model, masks)
    return PrunedBlocks(blueprint, partitions, masks, alive.heads, alive.units)


def _select(
    weights: dict[str, torch.Tensor],
    pool: tuple[str, ...],
    partition: Partition,
    budget: float,
    alive: _Alive,
) -> dict[str, torch.Tensor]:
    """Masks (out, in) of the matrices of one pool, which share a budget of weights."""
    scores, sizes = [], []
    for module in pool:
        weight = weights[module]
        living = alive.mask(module, weight.shape).to(weight.dtype)
        size = group_sums(living, partition)
        score = group_norms(weight * living, partition) / size.clamp(min=1).sqrt()
        score[size == 0] = -1.0
        scores.append(score)
        sizes.append(size)
    flat, size = torch.cat([s.flatten() for s in scores]), torch.cat([s.flatten() for s in sizes])
    order = flat.argsort(descending=True, stable=True)
    # Half of the last group decides, so that the budget is met as nearly as groups permit.
    taken = (size[order].double().cumsum(0) - size[order] / 2 <= budget) & (size[order] > 0)
    chosen = torch.zeros_like(flat, dtype=torch.bool)
    chosen[order[taken]] = True
    found, start = {}, 0
    for module, score in zip(pool, scores, strict=True):
        stays = chosen[start : start + score.numel()].view_as(score)
        if not stays.any():
            stays.view(-1)[score.argmax()] = True
        found[module] = spread(stays, partition, weights[module].shape)
        start += score.numel()
    return found


class _Alive:
    """Heads and units that still have a way through their layer."""

    def __init__(self, blueprint: Blueprint, heads: torch.Tensor, units: torch.Tensor) -> None:
        self.heads, self.units = heads, units
        self._projections = {
            each.module: (layer, each)
            for layer in range(blueprint.dims.num_layers)
            for each in blueprint.projections(layer)
        }

    @property
    def count(self) -> int:
        return int(self.heads.sum()) + int(self.units.sum())

    def _of(self, layer: int, kind: str) -> torch.Tensor:
        return (self.heads if kind == HEADS else self.units)[layer]

    def _members(self, module: str) -> tuple[torch.Tensor, int]:
        """Which rows or columns of a weight are alive, and along which dimension they lie."""
        layer, found = self._projections[module]
        return self._of(layer, found.kind).repeat_interleave(found.size).repeat(len(found.parts)), found.dim

    def mask(self, module: str, shape: torch.Size) -> torch.Tensor:
        """(out, in), True where a weight belongs to a living member."""
        members, dim = self._members(module)
        return (members[:, None] if dim == 0 else members[None, :]).expand(shape)

    def bury(self, module: str, stays: torch.Tensor) -> None:
        """Strike the members of which `stays` (out, in) leaves nothing.

        Queries and keys without weights do not kill a head: it still averages its values.
        """
        layer, found = self._projections[module]
        left = stays.any(dim=1 - found.dim).view(len(found.parts), found.total, found.size).any(dim=2)
        alive = self._of(layer, found.kind)
        for part, members in zip(found.parts, left, strict=True):
            if part not in (QUERY, KEY):
                alive &= members

    def other_masks(self, model: nn.Module, masks: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Masks of the matrices and biases around dead members that were not pruned themselves.

        With its bias gone a dead unit gives activation(0), which is 0 for every activation in use.
        """
        found: dict[str, torch.Tensor] = {}
        for module, (_, projection) in self._projections.items():
            members = self._members(module)[0]
            if members.all():
                continue
            weight = model.get_parameter(f"{module}.weight")
            if f"{module}.weight" not in masks:
                found[f"{module}.weight"] = self.mask(module, weight.shape).clone()
            if projection.reads and projection.has_bias:
                found[f"{module}.bias"] = members.clone()
        return found
