"""Which sub-networks are drawn for training, as training goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from compresskit.architecture import Architecture
from compresskit.supernet.sub_supernets import LEAST
from compresskit.training.strategies import Sampler

SHRINK_UNTIL = 0.5
FIRST_LEAST = 0.6
DRAWS = 4
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


def near(rungs: Sequence[Architecture], draw: Draw, share: float) -> Draw:
    """A rung of a ladder of architectures with chance `share`, else any draw."""

    def chosen(generator: np.random.Generator) -> Architecture:
        if generator.random() < share:
            return rungs[int(generator.integers(len(rungs)))]
        return draw(generator)

    return chosen


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


def progressive(draw: Draw, size: Callable[[Architecture], float]) -> Sampler:
    """Large sub-networks first; the least size permitted falls from 0.6 to 0 over the first half.

    A small network is asked only once the larger ones that share its weights work (progressive
    shrinking, Cai et al. 2020, arXiv 1908.09791). `size` is relative to the full network, 0 to 1.
    """

    def sample(generator: np.random.Generator, progress: float) -> Architecture:
        least = FIRST_LEAST * max(0.0, 1 - progress / SHRINK_UNTIL)
        drawn = []
        for _ in range(DRAWS):
            drawn.append(draw(generator))
            if size(drawn[-1]) >= least:
                return drawn[-1]
        return max(drawn, key=size)

    return sample
