from __future__ import annotations

import numpy as np
import pytest

from compresskit.target.compare import compare
from compresskit.target.local import LocalTarget
from compresskit.target.profile import Profile
from compresskit.target.runner import EngineToMeasure
from compresskit.target.statistics import ratio_interval
from compresskit.target.workload import mixed_percentile, parts_of, weighted
from tests.target.graphs import chain

MIX = Profile("mix", lengths=((8, 3.0), (512, 1.0)), interval_precision=0.5, max_seconds=0.6, min_runs=10)


def test_parts_share_weight_and_time() -> None:
    short, long = parts_of(MIX)
    assert (short.profile.length, short.weight, short.profile.max_seconds) == (8, 0.75, 0.3)
    assert (long.profile.length, long.weight, long.profile.lengths) == (512, 0.25, ())
    (only,) = parts_of(Profile("one"))
    assert (only.profile, only.weight) == (Profile("one"), 1.0)


def test_weighted_medians_add_their_errors() -> None:
    median, low, high = weighted([(10.0, 7.0, 13.0), (20.0, 16.0, 24.0)], [0.5, 0.5])
    assert (median, low, high) == pytest.approx((15.0, 12.5, 17.5))


def test_percentile_of_a_mix_counts_weights_not_samples() -> None:
    quick, slow = [1.0] * 900, [10.0] * 100
    assert mixed_percentile([quick, slow], [0.9, 0.1], 50) == pytest.approx(1)
    assert mixed_percentile([quick, slow], [0.1, 0.9], 50) == pytest.approx(10)
    assert mixed_percentile([[1.0] * 20, [2.0] * 20], [0.5, 0.5], 95) is None


def test_ratio_of_a_mix_is_that_of_the_weighted_sums() -> None:
    parts = [[np.full(3, 4.0)] * 8, [np.full(3, 16.0)] * 8]
    under = [[np.full(3, 2.0)] * 8, [np.full(3, 2.0)] * 8]
    assert ratio_interval(parts, under, [0.75, 0.25]) == pytest.approx((3.5, 3.5, 3.5))


def test_target_measures_the_mix() -> None:
    with LocalTarget(MIX) as target:
        found = target.measure(chain(width=256, depth=4))
    short, long = found.conditions["parts"]
    assert (short["length"], long["length"]) == (8, 512)
    assert long["median_ms"] > 4 * short["median_ms"]
    assert found.median_ms == pytest.approx(0.75 * short["median_ms"] + 0.25 * long["median_ms"])
    assert found.corrected_ci_ms[0] <= found.corrected_median_ms <= found.corrected_ci_ms[1]
    assert len(found.samples_ms) == short["samples"] + long["samples"]
    assert 0 < found.conditions["sampling_half_width"] < 0.5


def test_engines_are_compared_on_the_mix() -> None:
    engines = [EngineToMeasure("a", chain(width=256, depth=4)), EngineToMeasure("b", chain(width=32))]
    found = compare(engines, MIX)
    assert found.ratios[0].speedup > 2
    # Medians, or beside other programs the quickest runs.
    medians = found.measurements[0].median_ms / found.measurements[1].median_ms
    assert medians == pytest.approx(found.ratios[0].speedup, rel=0.2)
    assert len(found.conditions["lengths"]) == 2
