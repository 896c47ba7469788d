"""How other programs disturbed a comparison, and which of its rounds count."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compresskit.target.interference import COLD, MOST_REFILL, QUIET, quickest, refill_share
from compresskit.target.leg import WAITED, Leg, foreign_share, share_taken
from compresskit.target.paired import ENOUGH, PAIR_BETWEEN
from compresskit.target.runner import Picked, Runner
from compresskit.target.series import common_error

MOST_TAKEN = 0.1  # share of the time, beyond which a figure that counts it is marked


@dataclass(frozen=True)
class Disturbance:
    """`picked` are the rounds that count: those of a quiet machine where there are enough, else all.

    `load` is the share of all cores that others kept busy in them, `taken` the share of the runs' time that
    they took, None where that is unknown; `is_counted` whether the clock counts that time. `rounds` is the
    number of all rounds. `refill` is the most by which refilling caches may have slowed an engine's runs
    beyond another's, a share.
    """

    picked: Picked
    load: float
    taken: float | None
    is_counted: bool
    rounds: int
    refill: float = 0.0

    @classmethod
    def of(cls, runners: Sequence[Runner]) -> Disturbance:
        numbers = range(len(runners[0].legs[0]))
        rounds = [[leg for runner in runners for leg in runner.in_round(i)] for i in numbers]
        busy = np.array([_busy(legs) for legs in rounds])
        waited = np.array([share_taken(legs) or 0.0 for legs in rounds])
        quiet = np.flatnonzero((busy <= QUIET) & (waited <= WAITED))
        picked = quiet if len(quiet) >= ENOUGH else np.arange(len(rounds))
        kept = [leg for i in picked for leg in rounds[i]]
        counted = not all(leg.wall_ms for leg in kept)
        refill = 0.0
        if not counted and len(quiet) < ENOUGH:
            shares = [refill_share([leg for rounds in runner.legs for leg in rounds]) for runner in runners]
            refill = max(shares) - min(shares)
        return cls(picked, float(busy[picked].mean()), share_taken(kept), counted, len(rounds), refill)

    @property
    def statistic(self) -> Callable[..., Any]:
        """Of runs, by which two engines are compared: see `Series`."""
        if self.is_counted:
            return np.mean if (self.taken or 0.0) > WAITED else np.median
        return quickest if len(self.picked) == self.rounds and self.load > QUIET else np.median

    @property
    def common_error(self) -> float:
        """Relative standard error of a ratio of two graphs in two processes that all rounds share."""
        shared = common_error(max(self.load, self.taken or 0.0), PAIR_BETWEEN)
        return float(np.hypot(shared, self.refill / np.sqrt(12)))

    @property
    def single_error(self) -> float:
        """The same of one graph's latency."""
        return common_error(max(self.load, self.taken or 0.0))

    @property
    def marks(self) -> tuple[str, ...]:
        if self.is_counted and (self.taken or 0.0) > MOST_TAKEN:
            return (f"other programs took {self.taken:.0%} of the measuring time, and the clock counts it",)
        return (COLD,) if self.refill > MOST_REFILL else ()

    @property
    def notes(self) -> list[str]:
        """What to say where others were at work and the figures hold nevertheless."""
        left_out = self.rounds - len(self.picked)
        found = []
        if left_out:
            found.append(f"{left_out} of {self.rounds} rounds met other programs and were left out.")
        if self.is_counted or (self.taken or 0.0) <= MOST_TAKEN:
            return found
        return [
            *found,
            f"other programs took {self.taken:.0%} of the time; latencies are processor time, without it, "
            "and intervals are wider.",
        ]


def _busy(legs: Sequence[Leg]) -> float:
    """Share of all cores that others kept busy during these legs; 0 where that is unknown."""
    if not all(leg.machine_s for leg in legs):
        return 0.0
    times = np.array([leg.machine_s for leg in legs])
    passed = (times[:, 3:] - times[:, :3]).sum(axis=0, keepdims=True)
    return float(foreign_share(passed, os.cpu_count() or 1)[0])
