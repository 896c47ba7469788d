from __future__ import annotations

import numpy as np

from compresskit.target.load import Load, foreign_cores
from compresskit.target.profile import Profile
from compresskit.target.warn import drift_warnings, fallback_warnings, machine_warnings, sampling_warnings

PROFILE = Profile("p")


def load(wall: float, machine: float, own: float, clock: float | None = None) -> Load:
    return Load(wall, machine, own, clock)


def test_good_samples_warn_of_nothing() -> None:
    assert sampling_warnings([1.0] * 300, 0.005, PROFILE) == []
    assert machine_warnings(load(0, 0, 0), load(10, 10, 10)) == []
    assert drift_warnings([1.0, 1.01, 0.99] * 4, 1.0) == []
    assert fallback_warnings({"CPUExecutionProvider": 9}, PROFILE) == []
    assert fallback_warnings({}, PROFILE.with_(provider="cuda")) == []


def test_each_fault_has_its_remedy() -> None:
    samples = np.exp(np.random.default_rng(0).standard_normal(50) * 0.4).tolist()
    scatter, wide, no_p95, no_p99 = sampling_warnings(samples, 0.04, PROFILE)
    assert "coefficient of variation" in scatter and "governor" in scatter
    assert "+-4.0%" in wide and "max_seconds" in wide
    assert "too few for a p95" in no_p95 and "min_runs = 59" in no_p95
    assert "too few for a p99" in no_p99 and "min_runs = 299" in no_p99


def test_foreign_load_and_falling_clock() -> None:
    before, after = load(0, 100, 50, 3000.0), load(10, 119, 60, 2000.0)
    assert foreign_cores(before, after) == 0.9
    busy, clock = machine_warnings(before, after)
    assert "0.9 cores busy" in busy and "idle" in busy
    assert "3000 to 2000 MHz" in clock and "cooling" in clock
    assert foreign_cores(before, load(0.1, 101, 50)) is None


def test_drift_of_the_reference() -> None:
    (away,) = drift_warnings([1.2] * 9, 1.0)
    assert "20% slower" in away and "measure again" in away
    (moving,) = drift_warnings([1.0, 1.0, 1.0, 1.0, 1.04, 1.04, 1.08, 1.08], 1.02)
    assert "drifted by +8%" in moving


def test_fallen_nodes_are_counted() -> None:
    nodes = {"CUDAExecutionProvider": 90, "CPUExecutionProvider": 10}
    (text,) = fallback_warnings(nodes, PROFILE.with_(provider="cuda"))
    assert "of 100 nodes 10 on CPUExecutionProvider" in text and "unfused" in text
