"""Medians, intervals and percentiles of samples that drift and are not independent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Fewest samples with which the upper end of a 95 % interval of the percentile is seen at all:
# 1 - p ** n >= 0.95.
MIN_SAMPLES_P95 = 59
MIN_SAMPLES_P99 = 299
# Groups of neighbouring blocks whose scatter tells the error: enough for a steady figure, each as long
# as can be, so that what is alike from block to block stays inside one group.
_GROUPS = 10


def percentile_ms(samples: Sequence[float] | Array, percent: float) -> float | None:
    """The percentile, or None when the samples are too few to carry it (59 for p95, 299 for p99)."""
    return float(np.percentile(samples, percent)) if len(samples) >= fewest_samples(percent) else None


def fewest_samples(percent: float) -> int:
    """Samples with which the upper end of a 95 % interval of the percentile is seen at all."""
    return 1 if percent <= 50 else int(np.ceil(np.log(0.05) / np.log(percent / 100)))


def student_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t by Fisher's expansion (Abramowitz and Stegun 26.7.5); 4 degrees or more."""
    z = NormalDist().inv_cdf(probability)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(sum(term / freedom**power for power, term in enumerate(terms)))


def median_interval(blocks: Sequence[Array], coverage: float = 0.95) -> tuple[float, float, float]:
    """Median of all samples and its interval of `coverage`, as `quantile_interval`."""
    return quantile_interval(blocks, 0.5, coverage)


def quantile_interval(
    blocks: Sequence[Array], share: float, coverage: float = 0.95
) -> tuple[float, float, float]:
    """The sample below which a `share` of all lie, and its interval of `coverage`: (quantile, low, high).

    `blocks` are runs of neighbouring samples in the order they were taken. The interval ends at the sample
    quantiles that lie as many standard errors from `share` as Student's t says (Woodruff, 1952); the
    error is that of the share of samples below the quantile, by batch means. So no normality is assumed,
    and no independence. Where it reaches beyond the samples it ends at their last. Needs 5 blocks.
    """
    ordered = np.sort(np.concatenate(blocks))
    quantile = float(np.quantile(ordered, share))
    error, reach = _error_of_mean([np.asarray(block < quantile, np.float64) for block in blocks], coverage)
    reach_share = reach * max(error, sqrt(share * (1 - share) / len(ordered)))
    low, high = np.quantile(ordered, [max(share - reach_share, 0.0), min(share + reach_share, 1.0)])
    return quantile, float(low), float(high)


def _error_of_mean(blocks: Sequence[Array], coverage: float = 0.95) -> tuple[float, float]:
    """Standard error of the mean by batch means, and the t that makes an interval of `coverage` of it.

    Whatever neighbouring samples have in common stays inside one group of blocks. What neighbouring groups
    still share widens the error by (1 + r) / (1 - r), r being their correlation.
    """
    assert len(blocks) >= 5
    groups = np.array_split(np.arange(len(blocks)), min(len(blocks), _GROUPS))
    means = np.array([np.mean(np.concatenate([blocks[i] for i in group])) for group in groups])
    centred = means - means.mean()
    spread = float(centred @ centred)
    alike = float(centred[1:] @ centred[:-1]) / spread if spread else 0.0
    alike = min(max(alike + 1.5 / len(groups), 0.0), 0.6)  # few groups underrate it, by 1 / n and more
    variance = spread / (len(groups) - 1) / len(groups) * (1 + alike) / (1 - alike)
    return sqrt(variance), student_quantile((1 + coverage) / 2, len(groups) - 1)


def trimmed_interval(values: Array, *, common_error: float = 0.0) -> tuple[float, float, float]:
    """Mean of the middle 60 % of `values`, taken in this order, and its 95 % interval: (mean, low, high).

    The error is that of the winsorized values (Tukey and McLaughlin, 1963), by batch means, since
    neighbours are alike. `common_error` is a standard error that all values share. Needs 5 values.
    """
    cut = len(values) // 5
    ordered = np.sort(values)
    kept = ordered[cut : len(values) - cut]
    middle = float(kept.mean())
    winsorized = np.clip(values, kept[0], kept[-1])
    error, reach = _error_of_mean([np.atleast_1d(value) for value in winsorized])
    half_width = reach * float(np.hypot(error * len(values) / len(kept), common_error))
    return middle, middle - half_width, middle + half_width


def mean_ratio_interval(
    over: Array, under: Array, *, common_error: float = 0.0
) -> tuple[float, float, float]:
    """Mean of `over` divided by that of `under`, pairs in this order, and its 95 % interval.

    The ratio estimator (Cochran, Sampling Techniques, 1977, section 6.3) with the error of its residuals by
    batch means. `common_error` is a relative standard error that all pairs share. Needs 5 pairs.
    """
    ratio = float(over.sum() / under.sum())
    residuals = (over - ratio * under) / (ratio * under.mean())
    error, reach = _error_of_mean([np.atleast_1d(value) for value in residuals])
    half_width = reach * float(np.hypot(error, common_error))
    return ratio, ratio * float(np.exp(-half_width)), ratio * float(np.exp(half_width))


def widened(
    interval: tuple[float, float, float], error: float, coverage: float = 0.95
) -> tuple[float, float, float]:
    """`interval` (middle, low, high) of a ratio with a relative standard error that its data do not show."""
    middle, low, high = interval
    own = NormalDist().inv_cdf((1 + coverage) / 2) * error
    below, above = (float(np.hypot(np.log(end / middle), own)) for end in (low, high))
    return middle, middle * float(np.exp(-below)), middle * float(np.exp(above))


def ratio_interval(
    over: Sequence[Sequence[Array]],
    under: Sequence[Sequence[Array]],
    weights: Sequence[float] = (1.0,),
    *,
    draws: int = 1000,
    coverage: float = 0.95,
    statistic: Callable[..., Any] = np.median,
    seed: int = 0,
) -> tuple[float, float, float]:
    """`statistic` of `over` divided by that of `under`, and its interval of `coverage`: (ratio, low, high).

    Each side is a list of parts with `weights` (one part, or one a length), each a list of blocks; block i
    of all comes from round i. Rounds are drawn together, in stretches of neighbours (moving block
    bootstrap, Kuensch 1989), so that what both sides share cancels; percentile interval of the log ratio,
    widened for few rounds by t over z. The blocks of one part have one size. Needs 5 rounds.
    """
    above, below = ([np.stack(part) for part in side] for side in (over, under))
    rounds = len(above[0])
    assert rounds >= 5

    def log_ratio(pick: npt.NDArray[np.int64]) -> float:
        top, bottom = (
            sum(weight * statistic(part[pick]) for weight, part in zip(weights, side, strict=True))
            for side in (above, below)
        )
        return float(np.log(top / bottom))

    stretch = max(1, round(rounds ** (1 / 3)))
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, rounds - stretch + 1, (draws, -(-rounds // stretch)))
    drawn = (starts[..., None] + np.arange(stretch)).reshape(draws, -1)[:, :rounds]
    found = log_ratio(np.arange(rounds))
    upper = (1 + coverage) / 2
    low, high = np.quantile([log_ratio(pick) for pick in drawn], [1 - upper, upper]) - found
    wide = student_quantile(upper, max(rounds // stretch - 1, 4)) / NormalDist().inv_cdf(upper)
    return tuple(float(np.exp(found + wide * shift)) for shift in (0.0, low, high))  # type: ignore[return-value]
