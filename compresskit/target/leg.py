"""What one step of a measurement gave, and what others took from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from compresskit.target.paired import NEAR
from compresskit.target.statistics import Array

CANDIDATE = "candidate"
REFERENCE = "reference"

_WAKING_MS = 0.05  # what a thread that is woken waits on a quiet machine
WAITED = 0.02  # of a run's wall clock: above what reading the clocks costs
_QUICKEST = 0.1  # quantile of runs that stands for the undisturbed ones


@dataclass(frozen=True)
class Leg:
    """What one step gave; `at_s` is the middle of its timed runs on the target's clock.

    `samples_ms` are processor time where a run stays on one thread, `wall_ms` then the same runs by the
    wall clock. `waited_ms` is how long a thread of each run waited for a core at most; empty if unknown.
    `machine_s` are a clock, the idle time of all cores and the worker's processor time, at its start (with
    the untimed runs) and again at its end; empty if unknown.
    """

    slot: str
    at_s: float
    samples_ms: tuple[float, ...]
    wall_ms: tuple[float, ...] = ()
    waited_ms: tuple[float, ...] = ()
    machine_s: tuple[float, ...] = ()

    @property
    def undisturbed(self) -> npt.NDArray[np.bool_]:
        """Runs that had their cores throughout, and whose caches no wait just before has left cold.

        A wait between two runs may be counted with either.
        """
        if not self.waited_ms:
            return np.ones(len(self.samples_ms), np.bool_)
        wall = np.asarray(self.wall_ms or self.samples_ms)
        calm: npt.NDArray[np.bool_] = np.asarray(self.waited_ms) <= np.maximum(WAITED * wall, _WAKING_MS)
        calm[1:] &= calm[:-1].copy()
        return calm

    @property
    def typical_ms(self) -> float:
        """Median of the undisturbed runs; where there are none the lower quartile, the least disturbed."""
        samples, calm = np.asarray(self.samples_ms), self.undisturbed
        return float(np.median(samples[calm]) if calm.any() else np.quantile(samples, 0.25))

    @property
    def mean_ms(self) -> float:
        return float(np.mean(self.samples_ms))


def share_taken(legs: Sequence[Leg]) -> float | None:
    """Share of the time in which the runs' threads waited for a core; None where that is unknown."""
    if not legs or not all(leg.waited_ms for leg in legs):
        return None
    waited = sum(sum(leg.waited_ms) for leg in legs)
    ran = sum(sum(leg.samples_ms) for leg in legs)
    if all(leg.wall_ms for leg in legs):
        return waited / (waited + ran)  # a thread also waits between two runs
    return min(waited / ran, 1.0)


def share_of_others(legs: Sequence[Leg], num_cores: int) -> Array | None:
    """(legs,) share of all cores that others kept busy since the end of the leg before; the first is 0.

    None where the system does not tell. One leg's figure is known to 10 ms of idle time, and may be below 0.
    """
    if not all(leg.machine_s for leg in legs):
        return None
    passed = np.diff(np.array([leg.machine_s[3:] for leg in legs]), axis=0)
    return np.concatenate([[0.0], foreign_share(passed, num_cores)])


def foreign_share(passed_s: Array, num_cores: int) -> Array:
    """(spans,) share of all cores that others kept busy, from what passed of each figure of `machine_s`."""
    clock, idle, own = passed_s.T
    share: Array = 1 - (idle + own) / np.maximum(num_cores * clock, 1e-9)
    return share


def lowest_state(medians_ms: Array) -> npt.NDArray[np.bool_]:
    """Bursts of one graph that met the machine in the calmest state of all."""
    lowest: npt.NDArray[np.bool_] = medians_ms <= np.quantile(medians_ms, _QUICKEST) * np.exp(NEAR)
    return lowest
