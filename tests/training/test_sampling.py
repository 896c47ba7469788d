from __future__ import annotations

import numpy as np

from compresskit.architecture import Architecture
from compresskit.training.sampling import log_uniform, mostly_small, steady, within
from tests.contracts.strategy import DIMS


def draw(generator: np.random.Generator) -> Architecture:
    return Architecture.uniform(DIMS, range(3), 1, int(generator.integers(1, 17)))


def size(architecture: Architecture) -> float:
    return architecture.shapes[0][1] / 16


def test_log_uniform_draws_as_many_in_each_octave() -> None:
    rng = np.random.default_rng(0)
    weighted = log_uniform(draw, size)
    drawn = np.array([size(weighted(rng)) for _ in range(3000)])
    assert np.mean(drawn <= 2 / 16) > 1.6 * np.mean([size(draw(rng)) <= 2 / 16 for _ in range(3000)])
    octaves = [np.mean((drawn > low) & (drawn <= 2 * low)) for low in (1 / 8, 1 / 4, 1 / 2)]
    assert max(octaves) < 1.4 * min(octaves)


def test_mostly_small_draws_more_of_them_than_log_uniform() -> None:
    drawn = {}
    for weigh in (log_uniform, mostly_small):
        rng = np.random.default_rng(0)
        weighted = weigh(draw, size)
        drawn[weigh] = np.array([size(weighted(rng)) for _ in range(2000)])
    assert np.mean(drawn[mostly_small] <= 1 / 4) > 1.2 * np.mean(drawn[log_uniform] <= 1 / 4)
    assert np.mean(drawn[mostly_small] > 1 / 2) > 0.05


def test_what_is_too_small_is_left_out() -> None:
    def shrunk(architecture: Architecture) -> float:
        return size(architecture) / 4  # from 1/64

    rng = np.random.default_rng(0)
    weighted = mostly_small(draw, shrunk)
    drawn = [shrunk(weighted(rng)) for _ in range(500)]
    assert min(drawn) == 2 / 64
    tiny = mostly_small(draw, lambda architecture: size(architecture) / 100)
    assert len({size(tiny(rng)) for _ in range(200)}) == 16


def test_within_draws_from_the_range_alone() -> None:
    rng = np.random.default_rng(0)
    drawn = {size(within(draw, size, 1 / 4, 1 / 2)(rng)) for _ in range(200)}
    assert drawn == {units / 16 for units in range(4, 9)}


def test_within_takes_the_nearest_where_nothing_is_in_the_range() -> None:
    rng = np.random.default_rng(0)
    assert size(within(draw, size, 0.51, 0.52)(rng)) == 1 / 2


def test_steady_draws_the_same_at_any_time() -> None:
    sample = steady(draw)
    assert sample(np.random.default_rng(4), 0.0) == sample(np.random.default_rng(4), 1.0)
