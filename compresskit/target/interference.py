"""What other programs did during one measurement, and which of its rounds count.

What a run took is told from what others took. Where the samples are processor time, or where each run's
wait for a core is known, disturbed runs and rounds are set aside while enough others are left. Where
nothing but wall clock is known (`waited_ms` empty), calm rounds are looked for in the samples themselves.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from compresskit.target.leg import CANDIDATE, WAITED, Leg, share_of_others, share_taken
from compresskit.target.paired import ENOUGH
from compresskit.target.statistics import Array

QUIET = 0.15  # of all cores: what others may do in a round that counts as quiet, as far as one is told
_QUICKEST = 0.1  # quantile of runs that stands for the undisturbed ones
_SLOWER = 1.25  # times that, and a run has met something else
_PREEMPTED = 1.15  # mean over quickest, from which on time was taken by others
# A wait leaves caches that others have filled. Refilling those of one core took up to this long (EPYC, two
# busy loops a core, benchmarks/latency/busy), and a run that followed no wait is spared it.
_REFILL_MS = 0.3
MOST_REFILL = 0.08  # of a run, beyond which its latency is marked
COLD = "other programs ran before nearly every run: cold caches may have slowed it"
_FEW_WARM = 0.1  # share of runs that followed no wait, below which the lower runs are not told by them


def quickest(samples: Array) -> float:
    """What stands for the runs that met the least of others."""
    return float(np.quantile(samples, _QUICKEST))


@dataclass(frozen=True, eq=False)
class Interference:
    """Computed once from the legs of a measurement; see `Series`."""

    legs: tuple[Leg, ...]
    level_ms: float

    @cached_property
    def candidate(self) -> list[Leg]:
        return [leg for leg in self.legs if leg.slot == CANDIDATE]

    @cached_property
    def reference(self) -> list[Leg]:
        return [leg for leg in self.legs if leg.slot != CANDIDATE]

    @cached_property
    def after(self) -> npt.NDArray[np.intp]:
        """(rounds,) index of the reference's burst after each of the candidate's."""
        return np.searchsorted([leg.at_s for leg in self.reference], [leg.at_s for leg in self.candidate])

    @cached_property
    def share_taken(self) -> float | None:
        """Share of the time that others took from the runs; None where it is unknown."""
        return share_taken([*self.candidate, *self.reference])

    @property
    def is_processor_time(self) -> bool:
        """Whether the samples hold no time that others took."""
        return bool(self.candidate[0].wall_ms)

    @property
    def by_means(self) -> bool:
        """Whether no calm round tells the latency, so that mean times have to."""
        if self.is_processor_time or np.count_nonzero(self.calm) >= ENOUGH:
            return False
        taken = self.share_taken
        return self._looks_preempted if taken is None else taken > WAITED

    @property
    def by_quickest(self) -> bool:
        """Whether no quiet round tells the latency, so that the quickest runs of each graph have to."""
        if not self.is_processor_time or self.others is None:
            return False
        return bool(np.count_nonzero(self.calm & self._quiet) < ENOUGH and self.load > QUIET)

    @cached_property
    def refill(self) -> float:
        """Share of a run, at most, that refilling took from one graph's quickest runs beyond the other's."""
        if not self.by_quickest:
            return 0.0
        return abs(refill_share(self.candidate) - refill_share(self.reference))

    @property
    def marks(self) -> tuple[str, ...]:
        """Whether waits lie so close that even the quickest runs may be far slower than with warm caches."""
        return (COLD,) if self.refill > MOST_REFILL else ()

    @cached_property
    def load(self) -> float:
        """How much others did meanwhile: cores, or the share of time they took in the rounds that count."""
        kept = np.flatnonzero(self.calm)
        kept = kept if len(kept) >= ENOUGH else np.arange(len(self.calm))
        taken = share_taken([self.candidate[i] for i in kept])
        others = self.others
        return max(taken or 0.0, 0.0 if others is None else float(np.mean(others[kept])))

    @cached_property
    def others(self) -> Array | None:
        """(rounds,) share of all cores that others kept busy in each round; None where that is unknown."""
        share = share_of_others(self.legs, os.cpu_count() or 1)
        if share is None:
            return None
        place = {id(leg): i for i, leg in enumerate(self.legs)}
        rounds = [
            share[[place[id(leg)] for leg in (self.reference[j - 1], one, self.reference[j])]].mean()
            for one, j in zip(self.candidate, self.after, strict=True)
        ]
        return np.array(rounds)

    @cached_property
    def _quiet(self) -> npt.NDArray[np.bool_]:
        others = self.others
        return np.ones(len(self.candidate), np.bool_) if others is None else others <= QUIET

    @cached_property
    def _looks_preempted(self) -> bool:
        """Whether the runs of either graph are longer on average than its quickest ones explain."""
        return any(
            bool(np.mean(samples) > _PREEMPTED * np.quantile(samples, _QUICKEST))
            for samples in map(joined, (self.candidate, self.reference))
        )

    @cached_property
    def calm(self) -> npt.NDArray[np.bool_]:
        """(rounds,) those in which nothing was taken from any of the three bursts; quiet ones if enough."""
        if self.share_taken is not None:
            candidate, reference = (
                np.array([bool(leg.undisturbed.any()) for leg in legs])
                for legs in (self.candidate, self.reference)
            )
        elif not self._looks_preempted:
            return np.ones(len(self.candidate), np.bool_)
        else:
            at_most = _SLOWER * float(np.quantile(joined(self.candidate), _QUICKEST))
            candidate = np.array([max(leg.samples_ms) <= at_most for leg in self.candidate])
            quickest = float(np.quantile(joined(self.reference), _QUICKEST))
            at_most = _SLOWER * min(quickest, self.level_ms)
            reference = np.array([max(leg.samples_ms) <= at_most for leg in self.reference])
        calm: npt.NDArray[np.bool_] = candidate & reference[self.after - 1] & reference[self.after]
        # Without a quiet round, one in which nothing was taken is still worth more than the others.
        return calm & self._quiet if np.count_nonzero(calm & self._quiet) >= ENOUGH else calm

    @property
    def awaits_calm(self) -> bool:
        """Whether quiet rounds were met, and too few to go by them alone."""
        if self.others is None:
            return False
        met = np.count_nonzero(self._quiet)
        return bool(0 < met < ENOUGH and met < len(self._quiet))


def refill_share(legs: Sequence[Leg]) -> float:
    """Share of a run that refilling caches takes at most; 0 where some runs were spared it."""
    warm = float(np.mean(np.concatenate([leg.undisturbed for leg in legs])))
    return 0.0 if warm >= _FEW_WARM else _REFILL_MS / float(np.median([leg.typical_ms for leg in legs]))


def joined(legs: Sequence[Leg]) -> Array:
    """All samples of these legs."""
    return np.concatenate([leg.samples_ms for leg in legs])
