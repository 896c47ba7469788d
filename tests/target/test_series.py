"""Latencies on a machine whose core others share, for runs below, at and above the scheduler's slice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compresskit.target.leg import CANDIDATE, REFERENCE, Leg, share_of_others, share_taken
from compresskit.target.profile import Profile
from compresskit.target.series import HELD, Series, common_error
from compresskit.target.timer import calibrate, sample
from compresskit.target.warn import busy_marks
from tests.target.scheduler import Scheduler

PROFILE = Profile("p", max_seconds=4.0)
SMALL, LARGE = 1.0, 9.0
REFILL = {"small": 0.05, "large": 0.1, CANDIDATE: 0.2}
OTHERS: dict[str, Callable[[float], int]] = {
    "quiet": lambda t: 0,
    "one": lambda t: 1,
    "two": lambda t: 2,
    "at first": lambda t: int(t < 8e3),
    "on and off": lambda t: int(t / 700) % 2,
}
BUSY = ("one", "two", "at first")  # as long as a measurement takes


@pytest.fixture(autouse=True)
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated machine has one."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)


def scheduler(
    others: str, *, ms: float = 1.0, refill: dict[str, float] | None = None, **how: Any
) -> Scheduler:
    times = {"small": SMALL, "large": LARGE, CANDIDATE: ms}
    return Scheduler(times, OTHERS[others], refill_ms=refill, **how)


def measured(machine: Scheduler, level: str = "small") -> Series:
    levels = {"small": SMALL, "large": LARGE}
    return sample(machine.run, PROFILE, levels[level], machine.times_ms[CANDIDATE], reference=level)


@pytest.mark.parametrize("tells", [True, False], ids=["kernel tells", "wall clock"])
@pytest.mark.parametrize("others", OTHERS)
def test_levels_are_those_of_a_core_of_ones_own(others: str, tells: bool) -> None:
    """Of a reference below the slice, and of one that is preempted in each run."""
    found = calibrate(scheduler(others, tells=tells).run, PROFILE, ["small", "large"])
    assert found == pytest.approx([SMALL, LARGE], rel=0.03)


@pytest.mark.parametrize("ms", [0.3, 2.8, 3.0, 4.0, 20.0])
@pytest.mark.parametrize("others", OTHERS)
def test_processor_time_holds_whoever_shares_the_core(others: str, ms: float) -> None:
    series = measured(scheduler(others, tells=True, ms=ms), "small" if ms < 5 else "large")
    middle, low, high = series.corrected_interval()
    assert middle == pytest.approx(ms, rel=0.02)
    assert low < ms < high
    assert bool(busy_marks(series)) == (2 < ms <= 3 and others in BUSY)
    assert high / low < (1.2 if busy_marks(series) else 1.15)


@pytest.mark.parametrize("ms", [0.3, 0.6, 1.2, 2.0, 2.8, 3.5, 5.0, 8.0, 20.0])
@pytest.mark.parametrize("others", OTHERS)
def test_cold_caches_after_each_wait(others: str, ms: float) -> None:
    """Short runs find warm ones among them, those about as long as a slice are marked."""
    series = measured(scheduler(others, tells=True, ms=ms, refill=REFILL), "small" if ms < 5 else "large")
    middle, low, high = series.corrected_interval()
    if not busy_marks(series):
        assert middle == pytest.approx(ms, rel=0.08)
        assert low < ms < high
    assert bool(busy_marks(series)) == (2 <= ms < 5 and others in BUSY)
    assert busy_marks(series) == [mark for mark in busy_marks(series) if "cold caches" in mark]


@pytest.mark.parametrize(("slower", "is_marked"), [(1.0, False), (1.03, False), (1.08, True)])
@pytest.mark.parametrize("others", OTHERS)
def test_memory_that_others_held_all_the_time(others: str, slower: float, is_marked: bool) -> None:
    """A candidate that suffers twice as much as its reference: the interval holds it, or it is marked."""
    held = {"large": slower, CANDIDATE: 2 * slower - 1}
    series = measured(scheduler(others, tells=True, ms=7.0, held=held), "large")
    _, low, high = series.corrected_interval()
    assert low < 7.0 < high or busy_marks(series)
    assert [mark for mark in busy_marks(series) if mark.startswith(HELD)] == busy_marks(series)
    assert bool(busy_marks(series)) == (is_marked and others in BUSY)


def test_quickest_runs_tell_where_no_round_was_quiet() -> None:
    """Their ratio, of either graph; rounds do where quiet ones were met."""
    assert measured(scheduler("two", tells=True)).met.by_quickest
    for others in ("quiet", "on and off"):
        assert measured(scheduler(others, tells=True)).by_rounds
    assert not measured(scheduler("two", tells=False)).met.by_quickest


@pytest.mark.parametrize("ms", [0.3, 2.8, 3.0, 4.0, 20.0])
@pytest.mark.parametrize("others", OTHERS)
def test_wall_clock_alone_is_right_within_its_interval(others: str, ms: float) -> None:
    """One, two or no other program: short runs meet none of them in their median, long ones always do."""
    series = measured(scheduler(others, tells=False, ms=ms), "small" if ms < 5 else "large")
    middle, low, high = series.corrected_interval()
    assert middle == pytest.approx(ms, rel=0.1)
    assert low < ms * 1.03 and ms * 0.97 < high


def test_time_that_others_took_is_marked_where_the_clock_counts_it() -> None:
    series = measured(scheduler("one", tells=False, ms=2.8))
    assert any("other programs" in mark for mark in busy_marks(series))
    assert not busy_marks(measured(scheduler("quiet", tells=False, ms=2.8)))


def test_share_that_others_took_is_told() -> None:
    for others, share in (("quiet", 0.0), ("one", 1 / 2), ("two", 2 / 3)):
        taken = measured(scheduler(others, tells=True, ms=20.0), "large").met.share_taken
        assert taken == pytest.approx(share, abs=0.05)
    assert measured(scheduler("one", tells=False)).met.share_taken is None


def test_coverage_beside_others() -> None:
    """The 95 % interval of a speed-up over the large reference, from wall clock alone, by seeds."""
    holds = []
    for seed in range(20):
        machine = scheduler("on and off", tells=False, ms=4.5, seed=seed)
        _, low, high = measured(machine, "large").corrected_interval()
        holds.append(low < 4.5 < high)
    assert np.mean(holds) >= 0.85


def leg(slot: str, at_s: float, ms: float, busy: float, seconds: float = 0.05) -> Leg:
    """A leg of one run on a machine of two cores of which others keep a share `busy`."""
    start = (at_s, 100.0 + at_s, at_s)
    end = (at_s + seconds, 100.0 + at_s + (2 * (1 - busy) - 1) * seconds, at_s + seconds)
    return Leg(slot, at_s, (ms,), (ms,), (0.0,), start + end)


def test_rounds_of_a_quiet_machine_count_where_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a load the candidate takes a fifth longer, its reference does not."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    for quiet_rounds, expected in ((14, 5.0), (4, 6.0)):
        series, idle = Series(1.0), 0.0
        for i in range(80):
            busy = 0.0 if i < 2 * quiet_rounds + 1 else 0.5
            is_candidate = i % 2 == 1
            ms = (5.0 if busy == 0 else 6.0) if is_candidate else 1.0
            one = leg(CANDIDATE if is_candidate else REFERENCE, i * 0.05, ms, busy)
            idle += 0.05 * (2 * (1 - busy) - 1)
            series.add([replace(one, machine_s=(*one.machine_s[:4], idle, one.machine_s[5]))])
        series.add([leg(REFERENCE, 4.0, 1.0, 0.5)])
        assert series.corrected_interval()[0] == pytest.approx(expected, rel=0.05)
    assert common_error(0.5) > 3 * common_error(0.0)


def test_what_the_system_does_not_tell_is_unknown() -> None:
    blind = Leg(CANDIDATE, 0.0, (1.0, 2.0))
    assert share_taken([blind]) is None
    assert share_of_others([blind, blind], 2) is None
    assert blind.undisturbed.all()


def test_runs_that_waited_are_set_aside() -> None:
    """And the one after each: a wait may be counted with the run before it, and leaves caches cold."""
    one = Leg(CANDIDATE, 0.0, (1.0, 9.0, 1.8, 1.1), (1.0, 12.0, 1.8, 1.1), (0.0, 3.0, 0.0, 0.01))
    assert one.undisturbed.tolist() == [True, False, False, True]
    assert one.typical_ms == pytest.approx(1.05)
    assert share_taken([one]) == pytest.approx(3 / 15.9, abs=0.002)
    every = replace(one, waited_ms=(1.0, 1.0, 1.0, 1.0))
    assert every.typical_ms == pytest.approx(np.quantile(one.samples_ms, 0.25))
