"""Which sub-networks are drawn for training, as training goes on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from compresskit.architecture import Architecture
from compresskit.training.strategies import Sampler

SHRINK_UNTIL = 0.5
FIRST_LEAST = 0.6
DRAWS = 4


def progressive(
    draw: Callable[[np.random.Generator], Architecture], size: Callable[[Architecture], float]
) -> Sampler:
    """Large sub-networks first; the least size permitted falls from 0.6 to 0 over the first half.

    A small network is asked only once the larger ones that share its weights work (progressive
    shrinking, Cai et al. 2020, arXiv 1908.09791). `size` is relative to the full network, 0 to 1.
    """

    def sample(generator: np.random.Generator, progress: float) -> Architecture:
        least = FIRST_LEAST * max(0.0, 1 - progress / SHRINK_UNTIL)
        drawn = [draw(generator) for _ in range(DRAWS)]
        return next((found for found in drawn if size(found) >= least), max(drawn, key=size))

    return sample
