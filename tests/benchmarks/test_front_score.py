from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.front.quantiles import quantile_hypervolumes
from benchmarks.front.score import (
    THRESHOLDS,
    Scored,
    best_at_sizes,
    choose,
    compare,
    dominated_area,
    kept_at,
    quantile_volumes,
)


def scored(
    rows: int = 400, seed: int = 0, *, flips: tuple[float, ...] = (0.2,), speed: float = 2.0
) -> Scored:
    """Engines that answer a share of the rows wrongly; the dense model answers a tenth wrongly."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 2

    def answers(share: float) -> npt.NDArray[Any]:
        wrong = rng.random(rows) < share
        return np.eye(2)[np.where(wrong, 1 - labels, labels)]

    dense = answers(0.1)
    return Scored("accuracy", labels, 1.0, dense, [answers(f) for f in flips], [speed] * len(flips))


class TestArea:
    def test_is_that_of_the_steps_under_the_points(self) -> None:
        found = dominated_area([2.0, 8.0], [0.9, 0.7], prior=0.5, dense=0.9)
        assert found == pytest.approx(np.log(2) * 1.0 + (np.log(8) - np.log(2)) * 0.5)

    def test_stops_at_16_times_and_takes_nothing_below_dense_speed_or_prior(self) -> None:
        assert dominated_area([100.0], [0.9], 0.5, 0.9) == pytest.approx(np.log(16))
        assert dominated_area([0.8, 3.0], [0.95, 0.4], 0.5, 0.9) == 0
        assert dominated_area([2.0], [0.9], 0.5, 0.5) == 0
        assert dominated_area([], [], 0.5, 0.9) == 0


class TestChoose:
    def test_takes_at_most_so_many_and_comes_near_the_best_choice(self) -> None:
        rng = np.random.default_rng(3)
        speeds = sorted(rng.uniform(1, 16, 9).tolist())
        metrics = sorted((0.5 + 0.4 * rng.random(9)).tolist(), reverse=True)

        def area(some: tuple[int, ...]) -> float:
            return dominated_area([speeds[i] for i in some], [metrics[i] for i in some], 0.5, 0.9)

        kept = choose(speeds, metrics, 0.5, 0.9, 3)
        assert len(kept) == 3
        assert area(tuple(kept)) > 0.95 * max(map(area, combinations(range(9), 3)))

    def test_leaves_out_what_adds_nothing(self) -> None:
        assert choose([2.0, 1.9, 0.5], [0.9, 0.8, 0.95], 0.5, 0.9, 8) == [0]


class TestCompare:
    def test_better_engines_win_and_the_mirror_image_loses(self) -> None:
        good, bad = scored(flips=(0.1,)), scored(flips=(0.35,), seed=1)
        found, mirrored = compare([good], [bad], draws=200), compare([bad], [good], draws=200)
        assert (found.verdict, mirrored.verdict) == ("win", "loss")
        assert found.mean == pytest.approx(-mirrored.mean)
        assert found.low < found.mean < found.high

    def test_equal_engines_tie(self) -> None:
        one, other = scored(flips=(0.2,), seed=1), scored(flips=(0.2,), seed=2)
        assert compare([one], [other], draws=200).verdict == "tie"
        same = compare([one], [one], draws=50)
        assert (same.low, same.mean, same.high) == (0, 0, 0)

    def test_interval_is_that_of_a_paired_difference(self) -> None:
        """Of one engine at a fixed prior, the interval's width is that of a mean of paired differences."""
        labels = np.arange(4000) % 2
        rng = np.random.default_rng(0)
        right = [rng.random(4000) < share for share in (0.9, 0.85)]
        perfect = np.eye(2)[labels]
        one, other = (
            Scored("accuracy", labels, 1.0, perfect, [np.eye(2)[np.where(r, labels, 1 - labels)]], [np.e])
            for r in right
        )
        found = compare([one], [other], draws=1000)
        difference = right[0].astype(float) - right[1].astype(float)
        width = 2 * 1.96 * difference.std() / np.sqrt(4000) / 0.5  # y is the metric's rise over half
        assert found.high - found.low == pytest.approx(width, rel=0.15)

    def test_a_seed_that_disagrees_widens_the_interval(self) -> None:
        good, bad = scored(flips=(0.1,)), scored(flips=(0.3,), seed=1)
        both = compare([good, bad], [bad, good], draws=200)
        assert both.verdict == "tie"
        assert both.high - both.low > compare([good], [bad], draws=200).high

    def test_unpaired_seeds_raise(self) -> None:
        with pytest.raises(ValueError, match="1 and 2 seeds"):
            compare([scored()], [scored(), scored()])


POINTS: list[dict[str, Any]] = [
    {"metric": 0.92, "test_metric": 0.80, "latency_ms": 5.0, "speedup": 2.0, "num_params": 60},
    {"metric": 0.90, "test_metric": 0.85, "latency_ms": 2.0, "speedup": 5.0, "num_params": 50},
]


def test_best_at_sizes_is_none_below_the_smallest_engine() -> None:
    found = dict(zip(THRESHOLDS, best_at_sizes(POINTS, 100), strict=True))
    assert len(found) == 21
    assert {value for share, value in found.items() if share < 0.5} == {None}
    assert {value for share, value in found.items() if share >= 0.5} == {0.85}


def test_kept_at_chooses_on_validation() -> None:
    assert kept_at(POINTS, 0.9, 2.0) == pytest.approx(0.80 / 0.9)
    assert kept_at(POINTS, 0.9, 4.0) == pytest.approx(0.85 / 0.9)
    assert kept_at(POINTS, 0.9, 8.0) is None


def test_kept_at_chooses_by_what_the_front_goes_by() -> None:
    labels = {"metric": 0.9, "test_metric": 0.7, "speedup": 2.0}
    fidelity = {"metric": 0.8, "test_metric": 0.8, "speedup": 2.0}
    assert kept_at([labels, fidelity], 1.0, 2.0) == 0.7
    assert kept_at([{**labels, "worth": 0.8}, {**fidelity, "worth": 0.85}], 1.0, 2.0) == 0.8


def test_quantile_volume_is_larger_for_the_dominating_method() -> None:
    worse = [{**point, "test_metric": point["test_metric"] - 0.3, "latency_ms": 9.0} for point in POINTS]
    found = quantile_volumes({"good": POINTS, "bad": worse})
    assert found["good"] > found["bad"]


def test_quantile_hypervolume_depends_on_ranks_alone() -> None:
    rng = np.random.default_rng(0)
    good, bad = rng.random((10, 2)), rng.random((10, 2)) + 0.5
    volumes = quantile_hypervolumes({"good": good, "bad": bad})
    assert volumes["good"] > volumes["bad"]
    assert volumes["good"] <= 4
    stretched = quantile_hypervolumes({"good": np.exp(9 * good), "bad": np.exp(9 * bad)})
    assert stretched == pytest.approx(volumes)
    assert quantile_hypervolumes({"none": np.empty((0, 2))}) == {"none": 0.0}
    assert quantile_hypervolumes({"one": [[3.0, 7.0]]}) == {"one": pytest.approx(4.0)}
