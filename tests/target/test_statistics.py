from __future__ import annotations

import numpy as np
import pytest

from compresskit.target.statistics import (
    median_interval,
    percentile_ms,
    ratio_interval,
    student_quantile,
    trimmed_interval,
)


@pytest.mark.parametrize(("freedom", "wanted"), [(4, 2.7764), (9, 2.2622), (11, 2.2010), (30, 2.0423)])
def test_student_quantile_is_the_table_s(freedom: int, wanted: float) -> None:
    assert student_quantile(0.975, freedom) == pytest.approx(wanted, abs=0.002)
    assert student_quantile(0.025, freedom) == pytest.approx(-wanted, abs=0.002)


def blocks_of(values: np.ndarray, size: int = 7) -> list[np.ndarray]:
    return list(values.reshape(-1, size))


def covered(alike: float, seed: int) -> bool:
    """Whether 0 lies in the interval of one series of correlated, skewed noise about median 0."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(7 * 48)
    for i in range(1, len(noise)):
        noise[i] = alike * noise[i - 1] + np.sqrt(1 - alike**2) * noise[i]
    _, low, high = median_interval(blocks_of(np.exp(noise)))
    return bool(low <= 1 <= high)


@pytest.mark.parametrize("alike", [0.0, 0.6, 0.9])
def test_interval_covers_with_and_without_correlation(alike: float) -> None:
    rate = np.mean([covered(alike, seed) for seed in range(200)])
    assert 0.9 <= rate <= 0.995, rate


def test_interval_narrows_with_samples() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal(7 * 400) + 10
    few, many = median_interval(blocks_of(values[: 7 * 20])), median_interval(blocks_of(values))
    assert few[2] - few[1] > 1.5 * (many[2] - many[1])


def test_constant_samples_have_no_width() -> None:
    assert median_interval([np.full(5, 3.0)] * 6) == (3.0, 3.0, 3.0)


def test_trimmed_mean_is_the_textbook_s() -> None:
    values = np.array([100.0, 3.0, 2.0, 4.0, 5.0, 1.0, -50.0, 6.0, 7.0, 8.0])
    middle, low, high = trimmed_interval(values)
    assert middle == pytest.approx(np.mean([2, 3, 4, 5, 6, 7]))
    assert middle - low == pytest.approx(high - middle)
    _, low, high = trimmed_interval(np.full(9, 2.0), common_error=0.1)
    assert high - low == pytest.approx(2 * 0.1 * student_quantile(0.975, 8))


@pytest.mark.parametrize("number", [16, 40])
@pytest.mark.parametrize("alike", [0.0, 0.3])
def test_trimmed_interval_covers(number: int, alike: float) -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        noise = rng.standard_normal(number + 10) * np.where(rng.random(number + 10) < 0.1, 5, 1)
        for i in range(1, len(noise)):
            noise[i] += alike * noise[i - 1]
        _, low, high = trimmed_interval(noise[10:])
        hits += bool(low <= 0 <= high)
    assert 0.9 <= hits / 400 <= 0.99, hits / 400


def test_percentiles_need_samples() -> None:
    values = np.arange(1, 1001) / 10
    assert percentile_ms(values[:58], 95) is None
    assert percentile_ms(values[:59], 95) == pytest.approx(5.61)
    assert percentile_ms(values[:298], 99) is None
    assert percentile_ms(values[:299], 99) == pytest.approx(29.602)
    assert percentile_ms([3.0], 50) == 3.0


def test_ratio_sees_through_shared_drift() -> None:
    rng = np.random.default_rng(1)
    state = np.exp(0.2 * rng.standard_normal(40))[:, None]
    over = 2.1 * state * np.exp(0.01 * rng.standard_normal((40, 9)))
    under = 1.0 * state * np.exp(0.01 * rng.standard_normal((40, 9)))
    ratio, low, high = ratio_interval([list(over)], [list(under)])
    assert low <= ratio <= high
    assert ratio == pytest.approx(2.1, rel=0.1)
    paired = high - low
    _, low, high = ratio_interval([list(over)], [list(rng.permutation(under))])
    assert high - low > 1.5 * paired


def test_ratio_interval_covers() -> None:
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        state = np.exp(0.05 * rng.standard_normal(30))[:, None]
        over = state * np.exp(0.02 * rng.standard_normal((30, 7)))
        under = state * np.exp(0.02 * rng.standard_normal((30, 7)))
        _, low, high = ratio_interval([list(over)], [list(under)], draws=150)
        hits += low <= 1 <= high
    assert 52 <= hits <= 60
