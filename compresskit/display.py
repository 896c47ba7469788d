"""How far work has come, for whoever watches: a log gets lines, a terminal the bars of `cli/bars.py`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

Say = Callable[[str], None]
"""Takes one line of progress."""
_T = TypeVar("_T")

_TRUSTED_LATE = 0.1  # of a stage, for which an expectation weighs as much as what was measured


class Counter(Protocol):
    """How far one stage has come."""

    def advance(self, count: float = 1.0) -> None:
        """So many more of the stage's units are done."""

    def expect(self, total: float | None = None, seconds_left: float | None = None) -> None:
        """It has another total after all; its end is known better than from the units that are done."""

    def describe(self, text: str, line: str | None = None) -> None:
        """`text` stands beside a bar until the next one; a log gets `line`, or nothing."""


class Display(Protocol):
    """Called with a message, it shows one line that stays; a stage is shown while it lasts."""

    def __call__(self, message: str, /) -> None: ...

    def stage(self, name: str, total: float | None = None, unit: str = "") -> AbstractContextManager[Counter]:
        """`name` begins, of `total` units (such as "rows"); None where nothing can be counted."""


class Lines:
    """A log: one line for each message and as each stage begins, and those that stages give on their way."""

    def __init__(self, write: Say) -> None:
        self._write = write

    def __call__(self, message: str, /) -> None:
        self._write(message)

    @contextmanager
    def stage(self, name: str, total: float | None = None, unit: str = "") -> Iterator[Counter]:
        self._write(name if total is None else f"{name}: {total:,.0f} {unit}")
        yield _Logged(self._write)


class _Logged:
    def __init__(self, write: Say) -> None:
        self._write = write

    def advance(self, count: float = 1.0) -> None: ...

    def expect(self, total: float | None = None, seconds_left: float | None = None) -> None: ...

    def describe(self, text: str, line: str | None = None) -> None:
        if line is not None:
            self._write(line)


def format_seconds(seconds: float) -> str:
    """As 7 s, 1 min 1 s or 1 h 2 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


SILENT = Lines(lambda _: None)
UNCOUNTED: Counter = _Logged(lambda _: None)


def counted(items: Iterable[_T], counter: Counter) -> Iterator[_T]:
    """`items`, of which each is done once the next is asked for."""
    for item in items:
        yield item
        counter.advance()


def display_of(say: Say | Display) -> Display:
    """`say` itself where it shows stages, else a log that it writes."""
    return say if hasattr(say, "stage") else Lines(say)


class Pace:
    """Seconds left of work that is counted, from the time between its first unit and its last.

    The first unit also pays for what has to be set up. `expected_seconds` for all of it is trusted until
    units tell better.
    """

    def __init__(
        self,
        total: float | None,
        expected_seconds: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.done = 0.0
        self.began = now()
        self._now = now
        self._expected = expected_seconds
        self._told: tuple[float, float] | None = None  # seconds left, and when
        self._a_unit: float | None = None
        self.expect(total, None)
        self._first: tuple[float, float] | None = None  # done, and when
        self._last = self.began

    def advance(self, count: float) -> None:
        self.done += count
        self._last = self._now()
        self._first = self._first or (self.done, self._last)

    def expect(self, total: float | None, seconds_left: float | None) -> None:
        self.total = total or self.total
        if self._a_unit is None and self._expected is not None and self.total:
            self._a_unit = self._expected / self.total
        self._told = self._told if seconds_left is None else (seconds_left, self._now())

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._now() - self.began

    @property
    def share(self) -> float:
        """Of the units, those done; 0 where they are not counted."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def whole_seconds(self) -> float | None:
        """What all of it takes at the pace so far, without what its first unit set up; None while unknown."""
        left = self.seconds_left
        if left is None or self._first is None or not self.total or self._first[0] >= self.total:
            return None
        counted, at = self._first
        return (self._now() - at + left) / (1 - counted / self.total)

    @property
    def seconds_left(self) -> float | None:
        """None while nothing tells."""
        if self._told is not None:
            seconds, at = self._told
            return max(0.0, seconds - (self._now() - at))
        if self.total is None:
            return None if self._expected is None else max(0.0, self._expected - self.seconds)
        counted, at = self._first or (0.0, self._last)
        units, seconds = self.done - counted, self._last - at
        if self._a_unit is not None:
            units += _TRUSTED_LATE * self.total
            seconds += _TRUSTED_LATE * self.total * self._a_unit
        if not units:
            return None
        return max(0.0, seconds / units * (self.total - self.done) - (self._now() - self._last))
