from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from compresskit.target import series as series_module
from compresskit.target.leg import CANDIDATE, REFERENCE
from compresskit.target.profile import Profile
from compresskit.target.series import Series
from compresskit.target.timer import calibrate, runs_for, sample, warm_up
from tests.target.machine import Machine

TIMES = {CANDIDATE: 5.0, REFERENCE: 15.0}
PROFILE = Profile("p")


def measured(machine: Machine, profile: Profile = PROFILE) -> Series:
    return sample(machine.run, profile, TIMES[REFERENCE], TIMES[CANDIDATE])


def long_run_ms(*, drift: float = 0.0, own: float = 0.0) -> float:
    """The median that endless sampling would find: drift meets both alike, own noise only the candidate."""
    del drift
    rng = np.random.default_rng(0)
    late = np.where(rng.random(400_000) < 0.03, 1 + rng.exponential(0.5, 400_000), 1)
    noise = rng.standard_normal(400_000)
    candidate, reference = (
        float(np.median(np.exp(size * noise) * late)) for size in (np.hypot(0.01, own), 0.01)
    )
    return TIMES[CANDIDATE] * candidate / reference


@pytest.mark.parametrize(
    ("kind", "least", "seeds"),
    [
        pytest.param({}, 0.9, 400, id="steady"),
        pytest.param({"drift": 0.05}, 0.9, 400, id="drift"),
        pytest.param({"scatter": 0.04}, 0.9, 100, id="noisy"),
        pytest.param({"own": 0.02}, 0.8, 100, id="own"),
        pytest.param({"scatter": 0.04}, 0.9, 400, id="noisy, longer", marks=pytest.mark.slow),
        pytest.param({"own": 0.02}, 0.8, 400, id="own, longer", marks=pytest.mark.slow),
    ],
)
def test_intervals_cover_the_long_run_median(
    kind: dict[str, Any], least: float, seeds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adaptive stopping included; noise of its own that lasts for several rounds is the hardest."""
    monkeypatch.setattr(
        series_module, "common_error", lambda *_: 0.0
    )  # this machine's measurements share nothing
    truth = TIMES[CANDIDATE] if "scatter" in kind else long_run_ms(**kind)
    found = [measured(Machine(TIMES, seed, **kind)).corrected_interval() for seed in range(seeds)]
    covered = np.mean([low <= truth <= high for _, low, high in found])
    assert covered >= least, covered
    # Not by being wide.
    assert np.median([(high - low) / 2 / median for median, low, high in found]) < 0.012


@pytest.mark.parametrize("suffers", [0.25, 0.3, 0.4])
def test_a_load_that_comes_and_goes_is_taken_out(suffers: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The truth is the latency on the quiet machine; candidate and reference do not suffer alike."""
    monkeypatch.setattr(series_module, "common_error", lambda *_: 0.0)
    load = {CANDIDATE: suffers, REFERENCE: 0.3}
    series = [measured(Machine(TIMES, seed, load=load)) for seed in range(200)]
    found = [each.corrected_interval() for each in series]
    assert np.mean([low <= 5 <= high for _, low, high in found]) >= 0.9
    raw = [abs(np.median(np.concatenate(each.raw_blocks)) / 5 - 1) for each in series]
    assert np.mean([abs(middle / 5 - 1) for middle, _, _ in found]) < np.mean(raw) / 2


def test_correction_removes_drift() -> None:
    raw, fixed = [], []
    truth = long_run_ms(drift=0.1)
    for seed in range(12):
        series = measured(Machine(TIMES, seed, drift=0.1))
        raw.append(abs(np.median(np.concatenate(series.raw_blocks)) / truth - 1))
        fixed.append(abs(series.corrected_interval()[0] / truth - 1))
    assert np.mean(fixed) < np.mean(raw) / 5


def test_slower_machine_gives_the_same_latency() -> None:
    machine = Machine(TIMES, 3)
    quick = measured(machine).corrected_interval()[0]
    machine.slowdown = 1.5
    series = measured(machine)
    median, low, high = series.corrected_interval()
    assert median == pytest.approx(quick, rel=0.02)
    assert np.median(np.concatenate(series.raw_blocks)) == pytest.approx(7.5, rel=0.02)
    assert low < 5 < high


def test_sampling_stops_when_precise_and_at_every_cap() -> None:
    quiet, noisy = measured(Machine(TIMES, 0, scatter=0.002)), measured(Machine(TIMES, 0, scatter=0.1))
    assert len(quiet.candidate) < len(noisy.candidate)
    assert quiet.sampling_half_width <= 0.01
    short = measured(Machine(TIMES, 0, scatter=0.3), PROFILE.with_(max_seconds=1.0))
    assert 1.0 <= short.reference[-1].at_s - short.reference[0].at_s < 2.0
    few = measured(Machine(TIMES, 0, scatter=0.3), PROFILE.with_(max_runs=100))
    assert 100 <= sum(map(len, few.raw_blocks)) < 150
    many = measured(Machine(TIMES, 0, scatter=0.002), PROFILE.with_(min_runs=300))
    assert sum(map(len, many.raw_blocks)) >= 300


def test_reference_stands_on_both_sides_of_every_block() -> None:
    machine = Machine(TIMES, 0)
    measured(machine, PROFILE.with_(max_seconds=1.0))
    slots = [slot for slot, _ in machine.runs]
    assert slots[0] == slots[-1] == REFERENCE
    assert (CANDIDATE, CANDIDATE) not in pairwise(slots)
    assert all(runs % 2 for _, runs in machine.runs)


def test_bursts_are_longer_only_where_many_samples_are_asked_for() -> None:
    for min_runs, runs in ((30, 1), (60, 3)):
        machine = Machine({CANDIDATE: 15.0, REFERENCE: 15.0}, 0)
        series = sample(machine.run, PROFILE.with_(min_runs=min_runs), 15.0, 15.0)
        assert {block.size for block in series.raw_blocks} == {runs}
        assert {len(leg.samples_ms) for leg in series.reference} == {1}


def test_very_slow_graph_is_measured_all_the_same() -> None:
    machine = Machine({CANDIDATE: 4000.0, REFERENCE: 15.0}, 0)
    series = sample(machine.run, PROFILE, 15.0, 4000.0)
    assert 5 <= len(series.candidate) <= 6


def test_warm_up_waits_for_a_steady_state() -> None:
    class Warming(Machine):
        def _take(self, slot: str, runs: int) -> list[float]:
            self.slowdown = 1 + 2 * np.exp(-self.now_s * 10)
            return super()._take(slot, runs)

    machine = Warming(TIMES, 0)
    assert warm_up(machine.run, CANDIDATE, PROFILE) == pytest.approx(5, rel=0.08)
    assert machine.now_s > 0.1
    never = Machine(TIMES, 0, scatter=1.0)
    warm_up(never.run, CANDIDATE, PROFILE)
    assert never.now_s < 10


def test_calibration_finds_the_level() -> None:
    assert calibrate(Machine(TIMES, 0).run, PROFILE) == pytest.approx([15], rel=0.005)
    noisy = Machine(TIMES, 0, scatter=0.5)
    calibrate(noisy.run, PROFILE)
    assert noisy.now_s < 20


def test_the_level_is_that_of_the_calm_machine() -> None:
    """Another program runs half of the time, at the start as well."""
    for seed in range(10):
        machine = Machine(TIMES, seed, load={CANDIDATE: 0.3, REFERENCE: 0.3})
        found = calibrate(machine.run, PROFILE, [REFERENCE, CANDIDATE])
        assert found == pytest.approx([15, 5], rel=0.02)
        assert machine.now_s < 12


def test_a_machine_that_is_calm_now_and_then_is_waited_for() -> None:
    class Loaded(Machine):
        def _take(self, slot: str, runs: int) -> list[float]:
            self.slowdown = 1.5 if 0.4 < self.now_s < 1.5 else 1.0
            return super()._take(slot, runs)

    class Slow(Machine):
        def _take(self, slot: str, runs: int) -> list[float]:
            self.slowdown = 1.5
            return super()._take(slot, runs)

    machine = Loaded(TIMES, 0, scatter=0.002)
    assert measured(machine).rounds.met_level(TIMES[REFERENCE])
    assert machine.now_s > 1.5
    hurried = Loaded(TIMES, 0, scatter=0.002)
    assert not measured(hurried, PROFILE.with_(max_seconds=1.0)).rounds.met_level(TIMES[REFERENCE])
    assert hurried.now_s < 2
    slow = Slow(TIMES, 0, scatter=0.002)
    measured(slow)
    assert slow.now_s < 1.5


def test_levels_of_several_references_are_of_one_state() -> None:
    """A drift of 20 % between one level and the next would tilt all that is corrected to them."""
    for seed in range(10):
        slow, quick = calibrate(Machine(TIMES, seed, drift=0.2).run, PROFILE, [REFERENCE, CANDIDATE])
        assert slow / quick == pytest.approx(3, rel=0.02)


def test_runs_of_a_block_are_odd_and_bounded() -> None:
    assert [runs_for(40, ms, 31) for ms in (0.01, 1.3, 5, 30, 500)] == [31, 31, 9, 1, 1]
