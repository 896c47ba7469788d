"""A mix of lengths: what a served model really sees, as a few lengths with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from compresskit.target.base import Measurement
from compresskit.target.profile import Profile
from compresskit.target.statistics import Array, fewest_samples, quantile_interval

Interval = tuple[float, float, float]  # median, low, high


@dataclass(frozen=True)
class LengthShare:
    """One length of a mix; the weights of all parts sum to 1."""

    profile: Profile
    weight: float


def parts_of(profile: Profile) -> list[LengthShare]:
    """The profile at each of its lengths; sampling time is shared out evenly."""
    if not profile.lengths:
        return [LengthShare(profile, 1.0)]
    whole = sum(weight for _, weight in profile.lengths)
    seconds = max(profile.max_seconds / len(profile.lengths), 0.1)
    return [
        LengthShare(profile.with_(length=length, lengths=(), max_seconds=seconds), weight / whole)
        for length, weight in profile.lengths
    ]


def weighted(intervals: Sequence[Interval], weights: Sequence[float]) -> Interval:
    """Weighted mean of medians that were measured independently, with its interval."""
    median = sum(weight * middle for weight, (middle, _, _) in zip(weights, intervals, strict=True))
    below, above = (
        sqrt(
            sum(
                (weight * (each[0] - each[end])) ** 2 for weight, each in zip(weights, intervals, strict=True)
            )
        )
        for end in (1, 2)
    )
    return median, median - below, median + above


def mixed_percentile(
    samples: Sequence[Sequence[float]], weights: Sequence[float], percent: float
) -> float | None:
    """Percentile of the mix; None when the samples of all parts are too few to carry it."""
    values = np.concatenate([np.asarray(part) for part in samples])
    if len(values) < fewest_samples(percent):
        return None
    shares = np.concatenate(
        [np.full(len(part), weight / len(part)) for part, weight in zip(samples, weights, strict=True)]
    )
    order = np.argsort(values)
    reached = np.cumsum(shares[order]) - shares[order] / 2
    return float(np.interp(percent / 100, reached, values[order]))


def percentile_interval(
    parts: Sequence[Sequence[Array]], percent: float, coverage: float = 0.95
) -> tuple[float, float] | None:
    """Interval of the percentile of blocks; None under a mix, and for too few samples to carry it."""
    if len(parts) > 1 or sum(map(len, parts[0])) < fewest_samples(percent):
        return None
    return quantile_interval(parts[0], percent / 100, coverage)[1:]


def _at_one_level(measured: Sequence[Measurement]) -> list[Measurement]:
    """All corrected to the lowest level of the reference that one of them met."""
    levels = [each.reference_level_ms for each in measured if each.reference_level_ms]
    lowest = min(levels, default=None)
    found = []
    for each in measured:
        factor = 1.0 if lowest is None or not each.reference_level_ms else lowest / each.reference_level_ms
        low, high = each.corrected_ci_ms
        found.append(
            replace(
                each,
                corrected_median_ms=each.corrected_median_ms * factor,
                corrected_ci_ms=(low * factor, high * factor),
                reference_level_ms=lowest,
            )
        )
    return found


def combine(parts: Sequence[LengthShare], measured: Sequence[Measurement], profile: Profile) -> Measurement:
    """One measurement of the whole mix; its conditions tell those of each length."""
    if len(measured) == 1:
        return measured[0]
    measured = _at_one_level(measured)
    weights = [part.weight for part in parts]
    median, low, high = weighted([(each.median_ms, *each.ci_ms) for each in measured], weights)
    fixed, fixed_low, fixed_high = weighted(
        [(each.corrected_median_ms, *each.corrected_ci_ms) for each in measured], weights
    )
    samples = [each.samples_ms for each in measured]
    p50 = mixed_percentile(samples, weights, 50)
    assert p50 is not None
    lengths = [
        {
            "length": part.profile.length,
            "weight": part.weight,
            "median_ms": each.median_ms,
            "corrected_median_ms": each.corrected_median_ms,
            "samples": len(each.samples_ms),
        }
        for part, each in zip(parts, measured, strict=True)
    ]
    warnings = (
        f"length {part.profile.length}: {text}"
        for part, each in zip(parts, measured, strict=True)
        for text in each.warnings
    )
    return replace(
        measured[0],
        samples_ms=tuple(sample for part in samples for sample in part),
        reference_samples_ms=tuple(sample for each in measured for sample in each.reference_samples_ms),
        median_ms=median,
        ci_ms=(low, high),
        corrected_median_ms=fixed,
        corrected_ci_ms=(fixed_low, fixed_high),
        p50_ms=p50,
        p95_ms=mixed_percentile(samples, weights, 95),
        p99_ms=mixed_percentile(samples, weights, 99),
        throughput_per_s=profile.texts * 1e3 / median,
        wall_median_ms=sum(w * (each.wall_median_ms or 0) for w, each in zip(weights, measured, strict=True)),
        rounds_ms=(),
        common_error=max(each.common_error for each in measured),
        marks=tuple(
            f"length {part.profile.length}: {text}"
            for part, each in zip(parts, measured, strict=True)
            for text in each.marks
        ),
        warnings=tuple(warnings),
        conditions={
            **measured[0].conditions,
            "length": profile.length,
            "lengths": [list(pair) for pair in profile.lengths],
            "parts": lengths,
            "sampling_half_width": max(each.conditions["sampling_half_width"] for each in measured),
        },
    )
