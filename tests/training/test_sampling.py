from __future__ import annotations

import numpy as np

from compresskit.architecture import Architecture
from compresskit.training.sampling import progressive
from tests.contracts.strategy import DIMS


def draw(generator: np.random.Generator) -> Architecture:
    return Architecture.uniform(DIMS, range(3), 1, int(generator.integers(1, 17)))


def size(architecture: Architecture) -> float:
    return architecture.shapes[0][1] / 16


def test_small_networks_come_later() -> None:
    sample = progressive(draw, size)
    drawn = {
        progress: [size(sample(np.random.default_rng(i), progress)) for i in range(200)]
        for progress in (0.0, 0.6)
    }
    assert np.mean(drawn[0.0]) > 0.7
    assert 0.4 < np.mean(drawn[0.6]) < 0.65
    assert min(drawn[0.6]) <= 1 / 16


def test_always_gives_one_of_the_drawn() -> None:
    sample = progressive(lambda generator: draw(generator), lambda architecture: 0.0)
    assert isinstance(sample(np.random.default_rng(0), 0.0), Architecture)
