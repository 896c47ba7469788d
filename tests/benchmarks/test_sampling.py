from __future__ import annotations

import numpy as np

from benchmarks.recipe.sampling import near, progressive
from compresskit.architecture import Architecture
from tests.contracts.strategy import DIMS
from tests.training.test_sampling import draw, size


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


def test_near_takes_rungs_with_their_share() -> None:
    rungs = [Architecture.uniform(DIMS, [0], 2, units) for units in (3, 5)]
    rng = np.random.default_rng(0)
    chosen = near(rungs, draw, 0.75)
    drawn = [chosen(rng) for _ in range(2000)]
    shares = [np.mean([found == rung for found in drawn]) for rung in rungs]
    assert all(0.33 < share < 0.42 for share in shares)
    assert all(len(found.shapes) == 3 for found in drawn if found not in rungs)
