"""Looks at intervals until limits are decided: how often, and that repeated looks do not lead astray."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from compresskit.errors import ConfigurationError
from compresskit.target.decide import AT_EACH_LOOK, Limit, Looks, all_decided
from compresskit.target.statistics import ratio_interval


def looked_at(rounds: int) -> list[int]:
    looks = Looks()
    return [number for number in range(1, rounds + 1) if looks.is_due(number) or number == rounds]


def test_looks_grow_apart_and_the_last_round_is_one() -> None:
    assert looked_at(500) == [12, 18, 27, 40, 60, 90, 135, 500]
    assert looked_at(50) == [12, 18, 27, 40, 50]
    assert looked_at(12) == [12]
    assert looked_at(9) == [9]


def test_a_limit_is_decided_outside_of_the_interval_alone() -> None:
    limit = Limit("speedup", 1.5)
    assert limit.is_decided((1.6, 1.7)) and limit.is_decided((1.2, 1.4))
    assert not limit.is_decided((1.4, 1.6)) and not limit.is_decided((1.5, 1.6))
    assert not limit.is_decided((0.0, float("inf")))
    with pytest.raises(ConfigurationError, match=r"'mean'.*p50, p95, p99, speedup"):
        Limit("mean", 1.0)


def test_all_limits_and_all_engines_have_to_be_decided() -> None:
    asked: list[tuple[str, float]] = []

    def intervals(figure: str, coverage: float) -> list[tuple[float, float]]:
        asked.append((figure, coverage))
        return {"speedup": [(1.6, 1.7), (1.8, 1.9)], "p50": [(3.0, 5.0), (1.0, 1.1)]}[figure]

    assert all_decided([], intervals)
    assert all_decided([Limit("speedup", 1.5)], intervals)
    assert not all_decided([Limit("speedup", 1.65)], intervals)
    assert not all_decided([Limit("speedup", 1.5), Limit("p50", 4.0)], intervals)
    assert all_decided([Limit("speedup", 1.5), Limit("p50", 6.0)], intervals)
    assert ("p50", AT_EACH_LOOK) in asked


def test_a_ratio_at_its_limit_is_seldom_called_to_one_side() -> None:
    """Errors in 100 simulated benches at the limit: 5 are due, and 12 are three standard errors more."""
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(100):
        looks = Looks()
        dense, pruned = (list(rng.normal(level, 0.05, (140, 5))) for level in (2.0, 1.0))
        for rounds in range(1, 141):
            if not looks.is_due(rounds) and rounds < 140:
                continue
            _, low, high = ratio_interval(
                [dense[:rounds]], [pruned[:rounds]], draws=100, coverage=AT_EACH_LOOK
            )
            if Limit("speedup", 2.0).is_decided((low, high)):
                wrong += 1
                break
    assert wrong <= 12


def test_the_sum_of_looks_errs_in_five_percent() -> None:
    """The levels of a Brownian motion at eight looks, each half as long again as the one before."""
    rng = np.random.default_rng(0)
    times = np.array(looked_at(200), float)
    steps = np.sqrt([times[0], *(late - early for early, late in pairwise(times))])
    paths = np.cumsum(steps * rng.standard_normal((100_000, len(times))), axis=1) / np.sqrt(times)
    assert np.mean(np.abs(paths).max(axis=1) > 2.5758) == pytest.approx(0.05, abs=0.003)
