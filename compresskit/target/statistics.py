"""Medians, intervals and percentiles of samples that drift and are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Fewest samples with which the upper end of a 95 % interval of the percentile is seen at all:
# 1 - p ** n >= 0.95.
MIN_SAMPLES_P95 = 59
MIN_SAMPLES_P99 = 299
# Groups of neighbouring blocks whose scatter tells the error: enough for a steady figure, each as long
# as can be, so that what is alike from block to block stays inside one group.
_GROUPS = 12
# Two graphs never suffer quite alike from the same load; by how much they differ is known to this share.
_UNLIKE = 0.05


def percentile_ms(samples: Sequence[float] | Array, percent: float) -> float | None:
    """The percentile, or None when the samples are too few to carry it (59 for p95, 299 for p99)."""
    fewest = 1 if percent <= 50 else int(np.ceil(np.log(0.05) / np.log(percent / 100)))
    return float(np.percentile(samples, percent)) if len(samples) >= fewest else None


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


def median_interval(blocks: Sequence[Array], *, common_error: float = 0.0) -> tuple[float, float, float]:
    """Median of all samples and its 95 % interval: (median, low, high).

    `blocks` are runs of neighbouring samples in the order they were taken. The interval ends at the sample
    quantiles that lie as many standard errors from one half as Student's t says (Woodruff, 1952); the
    error is that of the share of samples below the median, by batch means. So no normality is assumed, and
    no independence. `common_error` is a relative standard error that all samples share. Needs 5 blocks.
    """
    ordered = np.sort(np.concatenate(blocks))
    median = float(np.median(ordered))
    error, reach = _error_of_mean([np.asarray(block < median, np.float64) for block in blocks])
    reach_share = reach * max(error, 0.5 / sqrt(len(ordered)))
    ends = np.quantile(ordered, [max(0.5 - reach_share, 0.0), min(0.5 + reach_share, 1.0)])
    low, high = np.hypot(ends / median - 1, reach * common_error) * median
    return median, median - float(low), median + float(high)


def _error_of_mean(blocks: Sequence[Array]) -> tuple[float, float]:
    """Standard error of the mean by batch means, and the t that makes a 95 % interval of it.

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
    return sqrt(variance), student_quantile(0.975, len(groups) - 1)


def corrected(
    blocks: Sequence[Array],
    times_s: Sequence[float],
    references: Sequence[Array],
    reference_times_s: Sequence[float],
    level_ms: float,
) -> tuple[list[Array], float]:
    """`blocks` as they would be with the machine in the state where the reference takes `level_ms`.

    In logarithms. What moves while the blocks are taken is a control variate (Glynn and Szechtman, 2002):
    they are regressed on the reference, interpolated between its medians before and after each block, so
    that noise which the reference has for itself is not carried over, and a graph that suffers more from
    the same load than the reference does is corrected by more. From the mean state in between to the level
    the slope is 1: noise flattens a fitted slope, and over a long way that would be a bias.
    Also returns the relative standard error that this scale lends to all samples alike.
    """
    local = np.interp(times_s, reference_times_s, np.log([np.median(each) for each in references]))
    medians = np.log([np.median(block) for block in blocks])
    moved = local - local.mean()
    spread = float(moved @ moved)
    slope = min(max(float(moved @ medians) / spread, 0.0), 2.0) if spread else 1.0
    scale = level_ms / np.exp(local.mean() + slope * moved)
    error, _ = _error_of_mean([np.atleast_1d(value) for value in local])
    away = abs(np.log(level_ms) - local.mean())
    return (
        [block * factor for block, factor in zip(blocks, scale, strict=True)],
        float(np.hypot((1 - slope) * error, _UNLIKE * away)),
    )


def ratio_interval(
    over: Sequence[Sequence[Array]],
    under: Sequence[Sequence[Array]],
    weights: Sequence[float] = (1.0,),
    *,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Median of `over` divided by that of `under`, and its 95 % interval: (ratio, low, high).

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
            sum(weight * np.median(part[pick]) for weight, part in zip(weights, side, strict=True))
            for side in (above, below)
        )
        return float(np.log(top / bottom))

    stretch = max(1, round(rounds ** (1 / 3)))
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, rounds - stretch + 1, (draws, -(-rounds // stretch)))
    drawn = (starts[..., None] + np.arange(stretch)).reshape(draws, -1)[:, :rounds]
    found = log_ratio(np.arange(rounds))
    low, high = np.quantile([log_ratio(pick) for pick in drawn], [0.025, 0.975]) - found
    wide = student_quantile(0.975, max(rounds // stretch - 1, 4)) / NormalDist().inv_cdf(0.975)
    return tuple(float(np.exp(found + wide * shift)) for shift in (0.0, low, high))  # type: ignore[return-value]
