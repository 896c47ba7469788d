"""What others did to a comparison, and which of its rounds count."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compresskit.target.interference import QUIET
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
    number of all rounds.
    """

    picked: Picked
    load: float
    taken: float | None
    is_counted: bool
    rounds: int

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
        return cls(picked, float(busy[picked].mean()), share_taken(kept), counted, len(rounds))

    @property
    def by_means(self) -> bool:
        """Whether mean times compare better than medians: the clock counts time that others took."""
        return self.is_counted and (self.taken or 0.0) > WAITED

    @property
    def common_error(self) -> float:
        """Relative standard error of a ratio of two graphs in two processes that all rounds share."""
        return common_error(max(self.load, self.taken or 0.0), PAIR_BETWEEN)

    @property
    def single_error(self) -> float:
        """The same of one graph's latency."""
        return common_error(max(self.load, self.taken or 0.0))

    @property
    def marks(self) -> tuple[str, ...]:
        if self.is_counted and (self.taken or 0.0) > MOST_TAKEN:
            return (f"other programs took {self.taken:.0%} of the measuring time, and the clock counts it",)
        return ()

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
