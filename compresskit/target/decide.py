"""When a comparison that has to decide on limits may stop: looks at its intervals, and how wide these are.

An interval that is looked at again and again, until it leaves the limit out, leaves the truth out too more
often than one that is looked at once. Looks therefore come after half as many rounds again each time, eight
at most, and each interval covers 99 %: with the truth at the limit, 95.0 % of comparisons are not led to a
side (simulated for Brownian motion, 400,000 paths; Pocock, 1977, gives 0.988 a look for looks at even
distances).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from compresskit.errors import ConfigurationError, one_of

AT_EACH_LOOK = 0.99
# How many times the profile's `max_seconds` may pass while a limit is undecided.
PATIENCE = 3.0
FIGURES = ("speedup", "p50", "p95", "p99")
_FIRST_LOOK = 12
_MOST_LOOKS = 8

Interval = tuple[float, float]


@dataclass(frozen=True)
class Limit:
    """A bound on a figure of each engine but the baseline: `figure` is one of FIGURES, latencies in ms.

    Raises ConfigurationError for another figure.
    """

    figure: str
    value: float

    def __post_init__(self) -> None:
        if self.figure not in FIGURES:
            raise ConfigurationError(one_of("figure of a limit", self.figure, FIGURES))

    def is_decided(self, interval: Interval) -> bool:
        """Whether the whole interval lies on one side of the limit."""
        return is_decided(interval, self.value)

    def to_json(self) -> dict[str, Any]:
        return {"figure": self.figure, "value": self.value}


def is_decided(interval: Interval, limit: float) -> bool:
    """Whether `limit` lies outside of `interval`, its ends included."""
    low, high = interval
    return limit < low or high < limit


@dataclass
class Looks:
    """Which rounds are looked at before the last: 12, 18, 27, 40 and so on, seven in all."""

    taken: int = 0
    _due: int = field(default=_FIRST_LOOK)

    def is_due(self, rounds: int) -> bool:
        """Whether to look after so many rounds; one that is due counts as taken."""
        if rounds < self._due or self.taken >= _MOST_LOOKS - 1:
            return False
        self.taken += 1
        self._due = rounds + rounds // 2
        return True


def all_decided(limits: Sequence[Limit], intervals: Callable[[str, float], Iterable[Interval]]) -> bool:
    """Whether each limit is decided for each engine.

    `intervals(figure, coverage)` gives the intervals of one figure, of each engine that is judged. A figure
    that cannot be had yet (no p99 of so few samples) has to come as (0, inf).
    """
    return all(
        limit.is_decided(interval) for limit in limits for interval in intervals(limit.figure, AT_EACH_LOOK)
    )
