"""Adaptive sampling: warm up until stable, then candidate and reference in turn until sure enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from compresskit.target.statistics import Array, corrected, median_interval

CANDIDATE = "candidate"
REFERENCE = "reference"

# A block of candidate runs lasts about this long, so that drift is seen, yet switching costs little.
_BLOCK_MS = 40.0
_REFERENCE_MS = 30.0
_BLOCKS_A_CHUNK = 4
_MIN_BLOCKS = 16
_WARM_WINDOW = 5
_WARM_WITHIN = 0.02
_WARM_SECONDS = 3.0


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

    def _corrected(self) -> tuple[list[Array], float]:
        return corrected(
            self.raw_blocks,
            [leg.at_s for leg in self.candidate],
            [np.asarray(leg.samples_ms) for leg in self.reference],
            [leg.at_s for leg in self.reference],
            self.level_ms,
        )

    def corrected_interval(self) -> tuple[float, float, float]:
        """Median of the corrected samples and its 95 % interval, ms."""
        blocks, error = self._corrected()
        return median_interval(blocks, common_error=error)

    def is_precise(self, precision: float) -> bool:
        """Whether more samples are not needed; what all samples share they would not lessen."""
        blocks, _ = self._corrected()
        median, low, high = median_interval(blocks)
        return (high - low) / 2 <= precision * median


def warm_up(run: Run, slot: str, limits: Limits) -> float:
    """Run `slot` until two windows of runs agree within 2 %, or 3 s have passed. Median of the last, ms."""
    before = None
    spent_ms = 0.0
    discard = max(limits.warmup_runs - 2 * _WARM_WINDOW, 0)
    while True:
        (leg,) = run([Step(slot, discard, _WARM_WINDOW)])
        discard = 0
        spent_ms += sum(leg.samples_ms)
        now = float(np.median(leg.samples_ms))
        if before is not None and abs(now - before) <= _WARM_WITHIN * before:
            return now
        if spent_ms > _WARM_SECONDS * 1e3:
            return now
        before = now


def runs_for(block_ms: float, run_ms: float, most: int) -> int:
    """An odd number of runs that last about `block_ms`: the median of an odd number is unbiased."""
    return min(max(int(block_ms / run_ms), 1), most) // 2 * 2 + 1


def sample(run: Run, limits: Limits, level_ms: float, run_ms: float) -> Series:
    """Candidate and reference in turn until the corrected median is known within the precision.

    `level_ms` is the reference's long-run median, `run_ms` about what the candidate takes. The first
    run after each switch is not timed: it finds the other graph's data in the caches.
    """
    series = Series(level_ms)
    runs = runs_for(_BLOCK_MS, run_ms, 31)
    pause = Step(REFERENCE, 1, runs_for(_REFERENCE_MS, level_ms, 9))
    turn = [pause, Step(CANDIDATE, 1, runs)]
    block_s = (level_ms * (pause.runs + 1) + run_ms * (runs + 1)) / 1e3
    chunk = min(_BLOCKS_A_CHUNK, max(1, int(limits.max_seconds / 4 / block_s)))
    look = _MIN_BLOCKS
    while True:
        series.add(run([*turn * chunk, pause]))
        blocks, taken = len(series.candidate), len(series.candidate) * runs
        seconds = series.reference[-1].at_s - series.reference[0].at_s
        if blocks >= 5 and (taken >= limits.max_runs or seconds >= limits.max_seconds):
            return series
        if blocks >= look and taken >= limits.min_runs:
            if series.is_precise(limits.interval_precision):
                return series
            # Looking after every chunk would stop at the first interval that is narrow by luck.
            look = blocks + max(blocks // 4, 1)


def calibrate(run: Run, limits: Limits) -> float:
    """The reference's long-run median, ms: from its own runs alone, to half the precision asked for."""
    run_ms = warm_up(run, REFERENCE, limits)
    runs = runs_for(_BLOCK_MS, run_ms, 31)
    legs: list[Leg] = []
    while True:
        legs += run([Step(REFERENCE, 0, runs)] * _MIN_BLOCKS)
        median, low, high = median_interval([np.asarray(leg.samples_ms) for leg in legs])
        sure = (high - low) / 2 <= limits.interval_precision / 2 * median
        if sure or legs[-1].at_s - legs[0].at_s >= limits.max_seconds / 2:
            return median
