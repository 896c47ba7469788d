"""Drift-corrected latency from rounds: a burst of the candidate between two of the reference.

Everything is in logarithms. The state of the machine in round i is what the reference's median burst
before it, b[i], and after it, a[i], have in common; the candidate's burst c[i] is carried along it to
the level L, the reference's median with the machine calm:

    y[i] = c[i] + slope * (L - (a[i] + b[i]) / 2)

What slows both alike cancels in each round by itself, so that neither a drift nor a load that comes and
goes widens the interval of y. Where enough rounds met the machine near the level, they alone are taken:
there the slope does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from compresskit.target.statistics import Array, trimmed_interval

# Graphs do not suffer alike from the same load; standard deviation of the slope from graph to graph.
SLOPE_SPREAD = 0.07
_SLOPES = (0.5, 2.0)
# Standard deviation from one measurement of a graph to the next, seconds apart and in a session of its own,
# beyond what its rounds tell: what others hold in shared caches, and where the weights lie in memory.
BETWEEN = 0.006
# The same of the ratio of two models, each of which lies somewhere else in memory in the next process.
PAIR_BETWEEN = 0.0125
NEAR = 0.08  # of the level: above what bursts scatter by on a quiet machine, below a neighbour's load
ENOUGH = 12  # rounds near the level
_JUMP = 6.0  # times the usual difference between the bursts before and after


@dataclass(frozen=True)
class Rounds:
    """Logarithms of median bursts, ms: the candidate's and the reference's before and after, each (n,)."""

    candidate: Array
    before: Array
    after: Array

    @classmethod
    def of_ms(cls, rounds_ms: Sequence[Sequence[float]]) -> Rounds:
        """From bursts in ms: the reference's before, the candidate's, the reference's after, each round."""
        before, candidate, after = np.log(np.asarray(rounds_ms, np.float64)).T
        return cls(candidate, before, after)

    def to_ms(self) -> tuple[tuple[float, float, float], ...]:
        """What `of_ms` takes."""
        return tuple(zip(*np.exp([self.before, self.candidate, self.after]).tolist(), strict=True))

    @property
    def state(self) -> Array:
        return (self.before + self.after) / 2

    def only(self, kept: npt.NDArray[np.bool_]) -> Rounds:
        """The rounds that `kept` marks."""
        return Rounds(self.candidate[kept], self.before[kept], self.after[kept])

    def interval(self, level_ms: float, between: float | None = None) -> tuple[float, float, float]:
        """Latency with the machine at the level, and its 95 % interval: (ms, low, high).

        `between` is a standard error, relative, that all rounds share; without it that of a calm machine.
        """
        slope, error = self.slope()
        near = self._near(level_ms)
        # What slows the machine changes, and the slope with it: the states gone through count as well.
        # Noise is not of both bursts, before and after.
        spread = float(np.cov(near.before, near.after)[0, 1])
        away = float(np.sqrt((np.log(level_ms) - near.state.mean()) ** 2 + max(spread, 0.0)))
        values = near._carried(level_ms, slope)
        shared = float(np.hypot(error * away, BETWEEN if between is None else between))
        centre, low, high = trimmed_interval(values, common_error=shared)
        return float(np.exp(centre)), float(np.exp(low)), float(np.exp(high))

    def half_width(self, level_ms: float) -> float:
        """Relative half-width of what more rounds would lessen: without the errors they have in common."""
        slope, _ = self.slope()
        _, low, high = trimmed_interval(self._near(level_ms)._carried(level_ms, slope))
        return (high - low) / 2

    def _near(self, level_ms: float) -> Rounds:
        """The rounds in which the machine was near the level, or all where those are too few."""
        if not self.met_level(level_ms):
            return self
        return self.only(self._is_near(level_ms))

    def met_level(self, level_ms: float) -> bool:
        """Whether the machine was near the level in enough rounds to go by them alone."""
        return self.num_near(level_ms) >= ENOUGH

    def num_near(self, level_ms: float) -> int:
        """Rounds in which the machine was near the level."""
        return int(np.count_nonzero(self._is_near(level_ms)))

    def _is_near(self, level_ms: float) -> npt.NDArray[np.bool_]:
        away = np.abs(np.stack([self.before, self.after]) - np.log(level_ms))
        # Both: between a quiet and a slow burst the candidate met either.
        near: npt.NDArray[np.bool_] = away.max(axis=0) <= NEAR
        return near

    def _carried(self, level_ms: float, slope: float) -> Array:
        carried: Array = self.candidate + slope * (np.log(level_ms) - self.state)
        return carried

    def slope(self) -> tuple[float, float]:
        """By how much the candidate's logarithm moves with the reference's, and the standard error.

        A priori 1 +- SLOPE_SPREAD. The rounds add what they tell: the bursts before and after have their
        noise each for itself, so that one is an instrument for the other (Wald, 1940), and a state that
        moves is told from noise, which would flatten the slope. They count for as much as the two agree
        beyond chance. Rounds in which the machine jumped tell nothing of the kind and are left out here.
        """
        jumped = np.abs(self.after - self.before)
        steady = jumped <= _JUMP * np.median(jumped)
        before, after, candidate, state = (
            values[steady] - values[steady].mean()
            for values in (self.before, self.after, self.candidate, self.state)
        )
        both = float(np.sqrt((before @ before) * (after @ after)))
        if both == 0:
            return 1.0, SLOPE_SPREAD
        moved = float(before @ after)
        agreement = moved / both
        beyond_chance = agreement - 2 / np.sqrt(len(state))
        if beyond_chance <= 0:
            return 1.0, SLOPE_SPREAD
        found = float(state @ candidate) / moved
        residual = candidate - found * state
        variance = float(residual @ residual) / max(len(state) - 2, 1)
        noise = variance * float(state @ state)
        weight = (moved * beyond_chance / agreement) ** 2 / noise if noise else np.inf
        prior = SLOPE_SPREAD**-2
        share = 1.0 if weight == np.inf else weight / (weight + prior)
        slope = min(max(1 + share * (found - 1), _SLOPES[0]), _SLOPES[1])
        return slope, SLOPE_SPREAD * float(np.sqrt(1 - share))
