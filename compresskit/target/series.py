"""One measurement: bursts of the candidate between bursts of a reference, and the latency they tell.

Where quiet rounds were met (see `Interference`), they tell it. Where none was, caches and memory are
shared with others in every run, and not in the same way by both graphs: then the quickest runs of each are
compared, which met the least of it. Where the clock counts what others took, the ratio of mean times is
taken: under a fair scheduler both graphs lose the same share of their time, however long their runs are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from compresskit.target.interference import Interference, quickest, refill_share
from compresskit.target.leg import Leg, lowest_state
from compresskit.target.paired import BETWEEN, ENOUGH, Rounds
from compresskit.target.statistics import Array, mean_ratio_interval, ratio_interval, widened

# What a load beside the measurement changes between two graphs, as a standard deviation: caches filled by
# others, memory bandwidth. Measured beside busy loops and a copy loop (benchmarks/latency/busy).
LOADED = 0.0215
_FULL_LOAD = 0.25  # of all cores kept busy by others, or of the time taken: from here it counts in full
# Where even the reference's calmest bursts were slower than its level, others held memory or caches all the
# time; how much more a graph suffers from that than the reference does, as a standard deviation.
_SUFFERS = 0.42
MOST_SLOWER = 0.05  # beyond which a latency is marked
HELD = "other programs held caches or memory"
_DRAWS = 200  # of the bootstrap


def common_error(load: float, between: float = BETWEEN) -> float:
    """Relative standard error that all rounds of a measurement share; more beside a load.

    `load` is the share of all cores that others kept busy, or of the time that they took; `between` is the
    error on a quiet machine, from one session to the next.
    """
    return float(np.hypot(between, LOADED * min(load / _FULL_LOAD, 1.0)))


@dataclass
class Series:
    """Legs of one measurement in the order they were run.

    `between` is the relative standard error from one such measurement to the next on a quiet machine.
    """

    level_ms: float
    between: float = BETWEEN
    _legs: list[Leg] = field(default_factory=list)
    _met: Interference | None = None

    def add(self, legs: Sequence[Leg]) -> None:
        self._legs += legs
        self._met = None

    @property
    def met(self) -> Interference:
        """What others did meanwhile."""
        if self._met is None or self._met.level_ms != self.level_ms:
            self._met = Interference(tuple(self._legs), self.level_ms)
        return self._met

    @property
    def candidate(self) -> list[Leg]:
        return self.met.candidate

    @property
    def reference(self) -> list[Leg]:
        return self.met.reference

    @property
    def raw_blocks(self) -> list[Array]:
        return [np.asarray(leg.samples_ms) for leg in self.candidate]

    @property
    def lowest_level_ms(self) -> float:
        """The reference's median in the calmest state that this series met."""
        medians = np.array([leg.typical_ms for leg in self.reference])
        return float(np.median(medians[lowest_state(medians)]))

    @property
    def by_rounds(self) -> bool:
        """Whether rounds tell the latency, so that it can be corrected to another level later."""
        return not (self.met.by_means or self.met.by_quickest)

    @property
    def rounds(self) -> Rounds:
        """Each of the candidate's bursts with the reference's before and after it; calm ones if enough."""
        candidate, reference = (
            np.log([leg.typical_ms for leg in legs]) for legs in (self.candidate, self.reference)
        )
        after, calm = self.met.after, self.met.calm
        every = Rounds(candidate, reference[after - 1], reference[after])
        return every.only(calm) if np.count_nonzero(calm) >= ENOUGH else every

    def corrected_interval(self) -> tuple[float, float, float]:
        """Latency with the machine at the level, and its 95 % interval, ms."""
        if self.by_rounds:
            return self.rounds.interval(self.level_ms, self.common_error)
        ratio, low, high = self._ratio(self.common_error)
        return ratio * self.level_ms, low * self.level_ms, high * self.level_ms

    @property
    def common_error(self) -> float:
        """Relative standard error that all rounds share: more beside a load."""
        shared = common_error(self.met.load, self.between)
        if not self.met.by_quickest:
            return shared
        refill = self.met.refill / np.sqrt(12)  # anything from nothing to that
        return float(np.sqrt(shared**2 + refill**2 + (_SUFFERS * self.slower) ** 2))

    @property
    def slower(self) -> float:
        """By what share even the reference's calmest bursts were slower than its level.

        0 where quiet rounds tell the latency, and for what refilling of caches explains.
        """
        if not self.met.by_quickest:
            return 0.0
        gap = float(np.log(self.lowest_level_ms / self.level_ms)) - refill_share(self.reference)
        return max(gap, 0.0)

    @property
    def marks(self) -> tuple[str, ...]:
        """Why quickest runs may be far slower than those of a quiet machine."""
        if self.slower <= MOST_SLOWER:
            return self.met.marks
        return (*self.met.marks, f"{HELD}: the quickest runs of the reference took {self.slower:.0%} longer")

    @property
    def sampling_half_width(self) -> float:
        """Relative half-width of what more rounds would lessen."""
        if self.by_rounds:
            return self.rounds.half_width(self.level_ms)
        ratio, low, high = self._ratio(0.0)
        return (high - low) / 2 / ratio

    def _ratio(self, common_error: float) -> tuple[float, float, float]:
        """The candidate's run in those of the reference, and its 95 % interval: mean or quickest runs."""
        if self.met.by_means:
            reference, after = np.array([leg.mean_ms for leg in self.reference]), self.met.after
            around = (reference[after - 1] + reference[after]) / 2
            own = np.array([leg.mean_ms for leg in self.candidate])
            return mean_ratio_interval(own, around, common_error=common_error)
        beside = [np.asarray(self.reference[i].samples_ms) for i in self.met.after]
        found = ratio_interval([self.raw_blocks], [beside], draws=_DRAWS, statistic=quickest)
        return widened(found, common_error) if common_error else found
