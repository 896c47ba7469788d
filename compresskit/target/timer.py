"""Adaptive sampling: warm up until stable, then rounds of candidate and reference until sure enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from compresskit.target.paired import NEAR, Rounds
from compresskit.target.statistics import Array, median_interval

CANDIDATE = "candidate"
REFERENCE = "reference"

# Bursts are as short as leaves the untimed run after each switch a small part: what lasts longer than a
# round meets candidate and reference alike.
_BURST_MS = 20.0
_MOST_RUNS = 101  # in one of them
_REFERENCE_MS = 8.0
_SETTLE_MS = 10.0  # untimed after each switch: a graph comes back into the caches bit by bit
# Neighbouring runs of 10 ms tell no more than one of them, so a burst has three only where many samples are
# asked for, lest every second run is an untimed one; not of a graph as slow as this.
_USUAL_ROUNDS = 20
_SLOW_MS = 100.0
_ROUNDS_A_CHUNK = 4
_MIN_ROUNDS = 12
_LEVEL_MS = 40.0  # bursts of the references alone, for their levels
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


@dataclass(frozen=True)
class Leg:
    """What one step gave; `at_s` is the middle of its timed runs on the target's clock."""

    slot: str
    at_s: float
    samples_ms: tuple[float, ...]


Run = Callable[[Sequence[Step]], list[Leg]]


class Limits(Protocol):
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


@dataclass
class Series:
    """Legs of one measurement in the order they were run."""

    level_ms: float
    candidate: list[Leg] = field(default_factory=list)
    reference: list[Leg] = field(default_factory=list)

    def add(self, legs: Sequence[Leg]) -> None:
        for leg in legs:
            (self.candidate if leg.slot == CANDIDATE else self.reference).append(leg)

    @property
    def raw_blocks(self) -> list[Array]:
        return [np.asarray(leg.samples_ms) for leg in self.candidate]

    @property
    def rounds(self) -> Rounds:
        """Each of the candidate's bursts with the reference's just before and after it."""
        candidate, reference = (
            np.log([np.median(leg.samples_ms) for leg in legs]) for legs in (self.candidate, self.reference)
        )
        next_one = np.searchsorted([leg.at_s for leg in self.reference], [leg.at_s for leg in self.candidate])
        return Rounds(candidate, reference[next_one - 1], reference[next_one])

    def corrected_interval(self) -> tuple[float, float, float]:
        """Latency with the machine at the level, and its 95 % interval, ms."""
        return self.rounds.interval(self.level_ms)

    @property
    def sampling_half_width(self) -> float:
        """Relative half-width of what more rounds would lessen."""
        return self.rounds.half_width(self.level_ms)


def warm_up(run: Run, slot: str, limits: Limits) -> float:
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


def sample(run: Run, limits: Limits, level_ms: float, run_ms: float, *, reference: str = REFERENCE) -> Series:
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
            calm = calm or seconds >= limits.max_seconds * _PATIENCE
            if calm and series.sampling_half_width <= limits.interval_precision:
                return series
            # Looking after every chunk would stop at the first interval that is narrow by luck.
            look = rounds + max(rounds // 4, 1)


def calibrate(run: Run, limits: Limits, slots: Sequence[str] = (REFERENCE,)) -> list[float]:
    """Each reference's median with the machine in the calmest state it was met in, ms.

    They run in turn, and the first one's median is carried to the others by what they take in the same
    round: all levels are of one state. A calm that is the only state met may be a lasting load, so it is
    looked at as long as one measurement may take; else until known to half the precision asked for.
    """
    times_ms = [warm_up(run, slot, limits) for slot in slots]
    turn = [
        Step(slot, runs_to_settle(run_ms), runs_for(_LEVEL_MS, run_ms, 31))
        for slot, run_ms in zip(slots, times_ms, strict=True)
    ]
    legs: list[Leg] = []
    while True:
        legs += run(turn * _MIN_ROUNDS)
        bursts = [[np.asarray(leg.samples_ms) for leg in legs if leg.slot == slot] for slot in slots]
        medians = np.array([[np.median(burst) for burst in each] for each in bursts])
        calm = medians[0] <= np.quantile(medians[0], 0.1) * np.exp(NEAR)
        if np.count_nonzero(calm) < _MIN_ROUNDS:
            continue
        median, low, high = median_interval([bursts[0][i] for i in np.flatnonzero(calm)])
        sure = (high - low) / 2 <= limits.interval_precision / 2 * median and not calm.all()
        if sure or legs[-1].at_s - legs[0].at_s >= limits.max_seconds:
            return [median * float(np.median(each[calm] / medians[0][calm])) for each in medians]
