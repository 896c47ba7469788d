"""One measurement: bursts of the candidate between bursts of a reference, and the latency they tell.

What a run took is told from what others took. Where the samples are processor time, or where each run's
wait for a core is known, disturbed runs and rounds are set aside while enough others are left. Where
nothing but wall clock is known (`waited_ms` empty), calm rounds are looked for in the samples themselves.
Where no calm round was met, the ratio of mean times is taken: under a fair scheduler both graphs lose the
same share of their time, however long their runs are.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from compresskit.target.leg import CANDIDATE, WAITED, Leg, lowest_state, share_of_others, share_taken
from compresskit.target.paired import BETWEEN, ENOUGH, Rounds
from compresskit.target.statistics import Array, mean_ratio_interval

# What a load beside the measurement changes between two graphs, as a standard deviation: caches filled by
# others, memory bandwidth. Measured beside busy loops and a copy loop (benchmarks/latency/busy).
LOADED = 0.0215
_FULL_LOAD = 0.25  # of all cores kept busy by others, or of the time taken: from here it counts in full
QUIET = 0.15  # of all cores: what others may do in a round that counts as quiet, as far as one is told
_QUICKEST = 0.1  # quantile of runs that stands for the undisturbed ones
_SLOWER = 1.25  # times that, and a run has met something else
_PREEMPTED = 1.15  # mean over quickest, from which on time was taken by others


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
    candidate: list[Leg] = field(default_factory=list)
    reference: list[Leg] = field(default_factory=list)
    _legs: list[Leg] = field(default_factory=list)

    def add(self, legs: Sequence[Leg]) -> None:
        for leg in legs:
            self._legs.append(leg)
            (self.candidate if leg.slot == CANDIDATE else self.reference).append(leg)

    @property
    def raw_blocks(self) -> list[Array]:
        return [np.asarray(leg.samples_ms) for leg in self.candidate]

    @property
    def share_taken(self) -> float | None:
        """Share of the time that others took from the runs; None where it is unknown."""
        return share_taken([*self.candidate, *self.reference])

    @property
    def lowest_level_ms(self) -> float:
        """The reference's median in the calmest state that this series met."""
        medians = np.array([leg.typical_ms for leg in self.reference])
        return float(np.median(medians[lowest_state(medians)]))

    @property
    def rounds(self) -> Rounds:
        """Each of the candidate's bursts with the reference's before and after it; calm ones if enough."""
        candidate, reference = (
            np.log([leg.typical_ms for leg in legs]) for legs in (self.candidate, self.reference)
        )
        after = self._next
        every = Rounds(candidate, reference[after - 1], reference[after])
        calm = self._calm
        return every.only(calm) if np.count_nonzero(calm) >= ENOUGH else every

    @property
    def by_means(self) -> bool:
        """Whether no calm round tells the latency, so that mean times have to."""
        if self.candidate[0].wall_ms:  # processor time: what others took is not in it
            return False
        if np.count_nonzero(self._calm) >= ENOUGH:
            return False
        taken = self.share_taken
        return self._looks_preempted if taken is None else taken > WAITED

    def corrected_interval(self) -> tuple[float, float, float]:
        """Latency with the machine at the level, and its 95 % interval, ms."""
        if self.by_means:
            ratio, low, high = self._mean_ratio(self.common_error)
            return ratio * self.level_ms, low * self.level_ms, high * self.level_ms
        return self.rounds.interval(self.level_ms, self.common_error)

    @property
    def common_error(self) -> float:
        """Relative standard error that all rounds share: more beside a load."""
        return common_error(self._load, self.between)

    @property
    def sampling_half_width(self) -> float:
        """Relative half-width of what more rounds would lessen."""
        if self.by_means:
            ratio, low, high = self._mean_ratio(0.0)
            return (high - low) / 2 / ratio
        return self.rounds.half_width(self.level_ms)

    @property
    def _load(self) -> float:
        """How much others did meanwhile: cores, or the share of time they took in the rounds that count."""
        calm = self._calm
        kept = np.flatnonzero(calm) if np.count_nonzero(calm) >= ENOUGH else np.arange(len(calm))
        taken = share_taken([self.candidate[i] for i in kept])
        others = self._others
        return max(taken or 0.0, 0.0 if others is None else float(np.mean(others[kept])))

    @property
    def _others(self) -> Array | None:
        """(rounds,) share of all cores that others kept busy in each round; None where that is unknown."""
        share = share_of_others(self._legs, os.cpu_count() or 1)
        if share is None:
            return None
        place = {id(leg): i for i, leg in enumerate(self._legs)}
        rounds = [
            share[[place[id(leg)] for leg in (self.reference[j - 1], one, self.reference[j])]].mean()
            for one, j in zip(self.candidate, self._next, strict=True)
        ]
        return np.array(rounds)

    @property
    def _looks_preempted(self) -> bool:
        """Whether the runs of either graph are longer on average than its quickest ones explain."""
        return any(
            bool(np.mean(samples) > _PREEMPTED * np.quantile(samples, _QUICKEST))
            for samples in map(_joined, (self.candidate, self.reference))
        )

    @property
    def _next(self) -> npt.NDArray[np.intp]:
        """Index of the reference's burst after each of the candidate's."""
        return np.searchsorted([leg.at_s for leg in self.reference], [leg.at_s for leg in self.candidate])

    @property
    def _calm(self) -> npt.NDArray[np.bool_]:
        """Rounds in which nothing was taken from any of the three bursts."""
        after = self._next
        others = self._others
        quiet = np.ones(len(self.candidate), np.bool_) if others is None else others <= QUIET
        if self.share_taken is not None:
            candidate, reference = (
                np.array([bool(leg.undisturbed.any()) for leg in legs])
                for legs in (self.candidate, self.reference)
            )
        elif not self._looks_preempted:
            return np.ones(len(self.candidate), np.bool_)
        else:
            at_most = _SLOWER * float(np.quantile(_joined(self.candidate), _QUICKEST))
            candidate = np.array([max(leg.samples_ms) <= at_most for leg in self.candidate])
            quickest = float(np.quantile(_joined(self.reference), _QUICKEST))
            at_most = _SLOWER * min(quickest, self.level_ms)
            reference = np.array([max(leg.samples_ms) <= at_most for leg in self.reference])
        calm: npt.NDArray[np.bool_] = candidate & reference[after - 1] & reference[after]
        # Without a quiet round, one in which nothing was taken is still worth more than the others.
        return calm & quiet if np.count_nonzero(calm & quiet) >= ENOUGH else calm

    @property
    def awaits_calm(self) -> bool:
        """Whether quiet rounds were met, and too few to go by them alone."""
        others = self._others
        if others is None:
            return False
        met = np.count_nonzero(others <= QUIET)
        return bool(0 < met < ENOUGH and met < len(others))

    def _mean_ratio(self, common_error: float) -> tuple[float, float, float]:
        """Mean time of a candidate's run in those of a reference's run, and its 95 % interval."""
        reference = np.array([leg.mean_ms for leg in self.reference])
        after = self._next
        around = (reference[after - 1] + reference[after]) / 2
        return mean_ratio_interval(
            np.array([leg.mean_ms for leg in self.candidate]), around, common_error=common_error
        )


def _joined(legs: Sequence[Leg]) -> Array:
    return np.concatenate([leg.samples_ms for leg in legs])
