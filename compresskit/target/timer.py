"""Adaptive sampling: warm up until stable, then rounds of candidate and reference until precise enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from compresskit.target.leg import CANDIDATE, REFERENCE, Leg, lowest_state, share_taken
from compresskit.target.series import Series
from compresskit.target.statistics import median_interval

# Bursts are as short as leaves the untimed run after each switch a small part: what lasts longer than a
# round meets candidate and reference alike.
_BURST_MS = 20.0
_MOST_RUNS = 101  # in one of them
_REFERENCE_MS = 8.0
_SETTLE_MS = 10.0  # untimed after each switch: a graph comes back into the caches bit by bit
# Neighbouring runs of 10 ms tell no more than one of them, so a burst has three only where many samples are
# asked for, so that not every second run is an untimed one; not of a graph as slow as this.
_USUAL_ROUNDS = 20
_SLOW_MS = 100.0
_ROUNDS_A_CHUNK = 4
_MIN_ROUNDS = 12
_LEVEL_MS = 40.0  # bursts of the references alone, for their levels
_TAKEN = 0.02  # share of the time, below which a reference had its core throughout
_INFLATED = 1.1  # times what mean times say, and a level holds time that others took
_PATIENCE = 0.25  # of the longest that sampling may take
_WARM_WINDOW = 5
_WARM_WITHIN = 0.02
_WARM_SECONDS = 1.0


@dataclass(frozen=True)
class Step:
    """`runs` timed runs of the graph in `slot` after `discard` untimed ones."""

    slot: str
    discard: int
    runs: int


Run = Callable[[Sequence[Step]], list[Leg]]


class SampleLimits(Protocol):
    """What bounds sampling; a Profile is one."""

    @property
    def interval_precision(self) -> float: ...
    @property
    def warmup_runs(self) -> int: ...
    @property
    def min_runs(self) -> int: ...
    @property
    def max_runs(self) -> int: ...
    @property
    def max_seconds(self) -> float: ...


def warm_up(run: Run, slot: str, limits: SampleLimits) -> float:
    """Run `slot` until a window of runs is not 2 % faster than the last, or 1 s has passed. Its median, ms.

    Warming up only makes runs faster; one that is slower has met something else.
    """
    before = None
    spent_ms = 0.0
    discard = max(limits.warmup_runs - 2 * _WARM_WINDOW, 0)
    while True:
        (leg,) = run([Step(slot, discard, _WARM_WINDOW)])
        discard = 0
        spent_ms += sum(leg.samples_ms)
        now = float(np.median(leg.samples_ms))
        if before is not None and now >= (1 - _WARM_WITHIN) * before:
            return now
        if spent_ms > _WARM_SECONDS * 1e3:
            return now
        before = now


def runs_for(block_ms: float, run_ms: float, most: int) -> int:
    """An odd number of runs that last about `block_ms`: the median of an odd number is unbiased."""
    return min(max(int(block_ms / run_ms), 1), most) // 2 * 2 + 1


def runs_to_settle(run_ms: float) -> int:
    """Untimed runs with which a graph fills the caches again."""
    return max(1, int(_SETTLE_MS / run_ms))


def sample(
    run: Run, limits: SampleLimits, level_ms: float, run_ms: float, *, reference: str = REFERENCE
) -> Series:
    """The candidate and the graph in slot `reference` in turn until the corrected median is precise.

    `level_ms` is the reference's level, `run_ms` about what the candidate takes. The first
    runs after each switch are not timed.
    """
    series = Series(level_ms)
    runs = runs_for(_BURST_MS, run_ms, _MOST_RUNS)
    if run_ms <= _SLOW_MS and limits.min_runs >= 3 * _USUAL_ROUNDS:
        runs = max(runs, 3)
    pause = Step(reference, runs_to_settle(level_ms), runs_for(_REFERENCE_MS, level_ms, 31))
    turn = [Step(CANDIDATE, runs_to_settle(run_ms), runs), pause]
    times_ms = (run_ms, level_ms)
    round_s = sum(ms * (step.discard + step.runs) for ms, step in zip(times_ms, turn, strict=True)) / 1e3
    chunk = min(_ROUNDS_A_CHUNK, max(1, int(limits.max_seconds / 4 / round_s)))
    look = _MIN_ROUNDS
    series.add(run([pause]))
    while True:
        series.add(run(turn * chunk))
        rounds, taken = len(series.candidate), len(series.candidate) * runs
        seconds = series.reference[-1].at_s - series.reference[0].at_s
        if rounds >= 5 and (taken >= limits.max_runs or seconds >= limits.max_seconds):
            return series
        if rounds >= look and taken >= limits.min_runs:
            # Away from the level the graph's own slope counts, so a machine that is calm now and then is
            # waited for; one that never is may stay so for minutes.
            calm = series.rounds.met_level(level_ms) or not series.rounds.num_near(level_ms)
            calm = (calm and not series.met.awaits_calm) or seconds >= limits.max_seconds * _PATIENCE
            if calm and series.sampling_half_width <= limits.interval_precision:
                return series
            # Looking after every chunk would stop at the first interval that is narrow by luck.
            look = rounds + max(rounds // 4, 1)


def calibrate(run: Run, limits: SampleLimits, slots: Sequence[str] = (REFERENCE,)) -> list[float]:
    """Each reference's median with the machine in the calmest state it was met in, ms.

    They run in turn, and where the calmest rounds of all fall together the levels are of that one state;
    else each has its own. Sampling goes on until the first level is known to half the precision asked for.
    A calm that is the only state met may be a lasting load, so it is looked at as long as one measurement
    may take, unless the runs are known to have had their core all the time.
    """
    times_ms = [warm_up(run, slot, limits) for slot in slots]
    turn = [
        Step(slot, runs_to_settle(run_ms), runs_for(_LEVEL_MS, run_ms, 31))
        for slot, run_ms in zip(slots, times_ms, strict=True)
    ]
    legs: list[Leg] = []
    while True:
        legs += run(turn * _MIN_ROUNDS)
        each = [[leg for leg in legs if leg.slot == slot] for slot in slots]
        medians = np.array([[leg.typical_ms for leg in own] for own in each])
        calm = np.array([lowest_state(row) for row in medians])
        together = calm.all(axis=0)
        taken = share_taken(legs)
        enough = np.count_nonzero(together) >= _MIN_ROUNDS
        over = legs[-1].at_s - legs[0].at_s >= limits.max_seconds
        if enough:
            median, low, high = median_interval(
                [np.asarray(each[0][i].samples_ms) for i in np.flatnonzero(together)]
            )
            undisturbed = taken is not None and taken < _TAKEN
            sure = (high - low) / 2 <= limits.interval_precision / 2 * median
            if over or (sure and (undisturbed or not together.all())):
                levels = [median * float(np.median((row / medians[0])[together])) for row in medians]
                break
        elif over:
            levels = [float(np.median(row[own])) for row, own in zip(medians, calm, strict=True)]
            break
    return levels if taken is not None else _told_from_waiting(levels, each)


def _told_from_waiting(levels: list[float], each: list[list[Leg]]) -> list[float]:
    """Levels where only wall clock is known, freed of what others took from longer runs.

    A graph whose runs outlast the scheduler's slice is preempted in each, and its quickest run is no level.
    Mean times are longer by the same share for all graphs, so they carry the first level to the others.
    """
    means = [float(np.mean([leg.mean_ms for leg in own])) for own in each]
    carried = [levels[0] * mean / means[0] for mean in means]
    pairs = zip(levels, carried, strict=True)
    return [other if own > _INFLATED * other else own for own, other in pairs]
