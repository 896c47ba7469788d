"""The two stages of training around hard pruning: with the penalty before it, with the masks after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from compresskit.architecture import Architecture
from compresskit.blocks import NO_LASSO, REWEIGHTED, Partition
from compresskit.pruning.block.matrices import BlockSetting
from compresskit.pruning.block.penalty import GroupLasso
from compresskit.pruning.block.prune import hard_prune
from compresskit.pruning.block.pruned import HoldAtZero, PrunedBlocks
from compresskit.pruning.block.sort import sort_units
from compresskit.supernet.network import SuperNetwork
from compresskit.training.recipe import Recipe
from compresskit.training.stages import Stage, train_supernet
from compresskit.training.strategies import Alone, OneNetwork, Point, Strategy


@dataclass(frozen=True)
class Lasso:
    """Which penalty prepares a model for hard pruning, and how strong it is."""

    kind: str = REWEIGHTED
    strength: float = 1e-3


def train_with_lasso(
    model: nn.Module,
    partitions: dict[str, Partition],
    lasso: Lasso,
    stage: Stage,
    recipe: Recipe,
    *,
    start: Architecture | None = None,
    teacher: nn.Module | None = None,
    name: str = "lasso",
) -> GroupLasso | None:
    """Train the dense `model` in place while the penalty drives groups of `partitions` to zero.

    `start` is the sub-network that is trained and later pruned, by default all of it. A `teacher`
    distils into it, beside the labels. Returns the penalty; None for kind `none`, which
    leaves the model as it is: pruning then uses the magnitudes that fine-tuning gave.
    """
    if lasso.kind == NO_LASSO:
        return None
    penalty = GroupLasso(model, partitions, lasso.strength, reweighted=lasso.kind == REWEIGHTED)
    network = SuperNetwork(model)
    watch = start or network.full
    make = _strategy(watch, teacher)
    train_supernet(network, stage, recipe, make, watch, name, teacher=teacher, penalty=penalty)
    return penalty


def prune(
    model: nn.Module, setting: BlockSetting, *, scope: str = "matrix", start: Architecture | None = None
) -> PrunedBlocks:
    """Hard-prune `model` in place; its units are put in an order that blocks can be read in."""
    pruned = sort_units(model, hard_prune(model, setting, scope=scope, start=start))
    pruned.apply(model)
    return pruned


def retrain(
    model: nn.Module,
    pruned: PrunedBlocks,
    stage: Stage,
    recipe: Recipe,
    *,
    teacher: nn.Module | None = None,
    name: str = "point",
) -> None:
    """Train what is left of `model`, in place; what was pruned stays zero.

    Heads and units that died are not computed.
    """
    train_supernet(
        SuperNetwork(model),
        stage,
        recipe,
        _strategy(pruned.architecture, teacher),
        pruned.architecture,
        name,
        teacher=teacher,
        callbacks=[HoldAtZero(model, pruned.masks)],
    )
    pruned.apply(model)


def _strategy(chosen: Architecture, teacher: nn.Module | None) -> Callable[[Architecture], Strategy]:
    kind: type[OneNetwork] = Alone if teacher is None else Point
    return lambda full: kind.of(full, chosen)
