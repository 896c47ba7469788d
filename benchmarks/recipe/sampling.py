"""Other ways to draw sub-networks for training, which the recipe was compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from compresskit.architecture import Architecture
from compresskit.training.sampling import Draw
from compresskit.training.strategies import Sampler

SHRINK_UNTIL = 0.5
FIRST_LEAST = 0.6
DRAWS = 4


def near(rungs: Sequence[Architecture], draw: Draw, share: float) -> Draw:
    """A rung of a ladder of architectures with chance `share`, else any draw."""

    def chosen(generator: np.random.Generator) -> Architecture:
        if generator.random() < share:
            return rungs[int(generator.integers(len(rungs)))]
        return draw(generator)

    return chosen


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
