"""Super-networks for sizes that fall, each trained on from the last: the small do not disturb the large."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.pruning.rivals.scores import mask_gradients
from compresskit.spaces import RankedSpace, Space
from compresskit.supernet.importance import reorder
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.surgery import blueprint_of
from compresskit.training.cost import step_cost
from compresskit.training.sampling import LEAST, Draw
from compresskit.training.stages import batch_loss
from compresskit.training.strategies import FROM_LABELS, Lesson

FIRST = 0.45  # of the weights: where the range of the first one ends
DRAWS = 200
WIDER = 1.2  # what is scored anew is so much larger than the largest of a range


def bounds(stages: int) -> list[float]:
    """Ends of the size ranges, falling from 1 to LEAST: each range is as wide in its logarithm but the first.

    Sizes are relative to the full network. `stages` ranges have one bound more.
    """
    if stages == 1:
        return [1.0, LEAST]
    return [1.0, *(float(bound) for bound in np.geomspace(FIRST, LEAST, stages))]


def within(draw: Draw, size: Callable[[Architecture], float], least: float, most: float) -> Draw:
    """The first of many draws whose size lies from `least` to `most`; else the one that is nearest."""

    def chosen(generator: np.random.Generator) -> Architecture:
        nearest, distance = None, float("inf")
        for _ in range(DRAWS):
            drawn = draw(generator)
            found = max(least - size(drawn), size(drawn) - most, 0.0)
            if not found:
                return drawn
            if found < distance:
                nearest, distance = drawn, found
        assert nearest is not None
        return nearest

    return chosen


@dataclass(frozen=True)
class Part:
    """The super-network of a range of sizes, which ends at `least`; `space` has the order of its members."""

    least: float
    network: SuperNetwork
    space: Space


class StagedSpace(RankedSpace):
    """Totals of heads and units, each in the order of the part that their size falls to."""

    def __init__(self, parts: Sequence[Part]) -> None:
        first = parts[0].space
        assert isinstance(first, RankedSpace)
        super().__init__(
            first.dims,
            layer_policy=first.layer_policy,
            unit_multiple=first.unit_multiple,
            ranking=first.ranking,
        )
        self.parts = parts

    def _build(self, config: Mapping[str, int]) -> Architecture | None:
        built = super()._build(config)
        if built is None:
            return None
        space = part_for(self.parts, self.relative_size(built)).space
        assert isinstance(space, RankedSpace)
        return space._build(config)


def part_for(parts: Sequence[Part], size: float) -> Part:
    """The one that was trained on networks of this size; the last one for what is smaller than all."""
    return next((part for part in parts if size >= part.least), parts[-1])


def train_in_stages(
    supernet: SuperNetwork,
    space: Space,
    stages: int,
    train: Callable[[SuperNetwork, Space, float, float], None],
    renew: Callable[[nn.Module, Space, float], Space],
) -> list[Part]:
    """`train(network, space, least, most)` each range in turn, each stage on a copy of what the last left.

    Before each stage but the first `renew(model, space, most)` orders the members anew.
    """
    parts: list[Part] = []
    for most, least in _ranges(stages):
        model = copy.deepcopy(parts[-1].network.model if parts else supernet.model)
        space = renew(model, space, most) if parts else space
        network = SuperNetwork(model)
        train(network, space, least, most)
        parts.append(Part(least, SuperNetwork(model), space))  # training leaves a forward in bf16 behind
    return parts


def _ranges(stages: int) -> Iterator[tuple[float, float]]:
    return pairwise(bounds(stages))


def scored_anew(
    model: nn.Module, space: Space, most: float, batches: Sequence[dict[str, torch.Tensor]]
) -> tuple[Space, float]:
    """`model` in order of Fisher information on its present weights; the space so shaped, and the full steps.

    What is scored is a network somewhat larger than `most`; members outside of it come last.
    """
    assert isinstance(space, RankedSpace)
    top = space.decode(
        space.canonical(
            {p.name: p.value(min(round(WIDER * most * p.count), p.count - 1)) for p in space.parameters}
        )
    )
    blueprint = blueprint_of(model)
    scores = mask_gradients(model, top, batches, batch_loss).fisher()
    reorder(model, blueprint, scores)
    found = scores.sorted()
    cost = len(batches) * step_cost(blueprint, [Lesson(top, FROM_LABELS)])
    return space.with_scores(found.heads.numpy(), found.units.numpy()), cost
