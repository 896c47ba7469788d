"""A super-network in parts, each with weights of its own: small networks do not disturb large ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from torch import nn

from compresskit.architecture import Architecture
from compresskit.supernet.network import SuperNetwork

PARTS = 4
FIRST = 0.45  # of the weights: where the range of the largest part ends
LEAST = 1 / 40  # MiniLM-L6 is about 20 times as fast at that size
GENTLE = 1 / 4  # of the size: a part of larger networks trains at a lower rate


def ranges(parts: int) -> list[tuple[float, float]]:
    """(least, most) of the relative sizes of each part, the largest first.

    Each is as wide in its logarithm as the others but the first, which ends at FIRST; the last ends at LEAST.
    """
    ends = [1.0, LEAST] if parts == 1 else [1.0, *(float(end) for end in np.geomspace(FIRST, LEAST, parts))]
    return [(least, most) for most, least in pairwise(ends)]


def rate_share(most: float) -> float:
    """Share of the learning rate at which a part trains whose largest network has the relative size `most`.

    Large networks start close to their teacher, and have few steps to recover what a high rate breaks.
    """
    return min(1.0, GENTLE / most)


class PartedNetwork(SuperNetwork):
    """Several super-networks, each for the sub-networks of a range of sizes.

    `models`: dense sizes, the largest part's first; a sub-network is a slice of the first whose range, by
    `least`, it lies in, and of the last where it is smaller than all.
    """

    def __init__(self, models: Sequence[nn.Module], least: Sequence[float]) -> None:
        super().__init__(models[0])
        if len(models) != len(least):
            raise ValueError(f"{len(models)} parts and {len(least)} ends of their ranges")
        self.least = tuple(least)
        self.smaller = [SuperNetwork(model) for model in models[1:]]
        self._registered = nn.ModuleList(self.smaller)  # so that they move between devices with the first

    def place_of(self, architecture: Architecture) -> int:
        """Which part `architecture` is a slice of, from 0."""
        return place_of(architecture.relative_size(self.blueprint.dims), self.least)

    def forward(self, architecture: Architecture | None = None, **inputs: Any) -> Any:
        place = 0 if architecture is None else self.place_of(architecture)
        if not place:
            return super().forward(architecture, **inputs)
        return self.smaller[place - 1](architecture, **inputs)

    @property
    def models(self) -> list[nn.Module]:
        """The models of the parts, in their order."""
        return [self.model, *(part.model for part in self.smaller)]


def place_of(size: float, least: Sequence[float]) -> int:
    """The part that serves networks of this relative size, where parts end at `least`."""
    return next((place for place, end in enumerate(least) if size >= end), len(least) - 1)
