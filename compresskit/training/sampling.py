"""Which sub-networks are drawn for training, as training goes on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from compresskit.architecture import Architecture
from compresskit.supernet.sub_supernets import LEAST
from compresskit.training.strategies import Sampler

CHOICES = 8
ATTEMPTS = 100
POWER = 1.6
Draw = Callable[[np.random.Generator], Architecture]


def log_uniform(draw: Draw, size: Callable[[Architecture], float]) -> Draw:
    """Small sub-networks more often: where `draw` is uniform in `size`, the result is in its logarithm."""
    return _weighted(draw, lambda architecture: 1 / size(architecture))


def mostly_small(draw: Draw, size: Callable[[Architecture], float]) -> Draw:
    """Small sub-networks more often still: chances fall with the power POWER of `size`.

    A small network has most to learn, and each costs less. `size` is relative to the full network. What is
    smaller than LEAST learns too little to be worth a step: it is left to what it shares with larger ones.
    """

    def weight(architecture: Architecture) -> float:
        found = size(architecture)
        return found**-POWER if found >= LEAST else 0.0

    return _weighted(draw, weight)


def _weighted(draw: Draw, weight: Callable[[Architecture], float]) -> Draw:
    """One of several draws, with chances as their weights; any where all of those are 0."""

    def weighted(generator: np.random.Generator) -> Architecture:
        drawn = [draw(generator) for _ in range(CHOICES)]
        chances = np.array([weight(architecture) for architecture in drawn])
        if not chances.any():
            chances[:] = 1.0
        return drawn[int(generator.choice(CHOICES, p=chances / chances.sum()))]

    return weighted


def within(draw: Draw, size: Callable[[Architecture], float], least: float, most: float) -> Draw:
    """The first of many draws whose size lies from `least` to `most`; else the one that is nearest."""

    def chosen(generator: np.random.Generator) -> Architecture:
        nearest, distance = None, float("inf")
        for _ in range(ATTEMPTS):
            drawn = draw(generator)
            found = max(least - size(drawn), size(drawn) - most, 0.0)
            if not found:
                return drawn
            if found < distance:
                nearest, distance = drawn, found
        assert nearest is not None
        return nearest

    return chosen


def steady(draw: Draw) -> Sampler:
    """The same draws from the first step to the last."""
    return lambda generator, progress: draw(generator)
