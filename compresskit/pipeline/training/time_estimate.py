"""How long the whole search takes: what each stage has to do, at the rates that were measured so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from compresskit.display import UNCOUNTED, Counter, Display, Pace, Say, display_of, format_seconds
from compresskit.training.recipe import has_fast_bf16

EXACT = 2.0  # times what bfloat16 takes, until it was measured
_TELL_AFTER = 10.0  # seconds of a stage: steps before may be those that a busy moment has met
_TELL_AGAIN = 1.3  # times what was told: then it is told once more


@dataclass(frozen=True)
class Work:
    """What a stage has to do.

    `full_steps`: training and scoring, in optimizer steps of the full network; `exact_steps`: the same in
    float32, where training computes in bfloat16. `looks`: measurements of latency, in those of the dense
    model at the profile's own precision. `seconds`: what is known beforehand. `trains`: it is a training:
    what it takes tells of trainings after it, and of other work only if nothing did before.
    """

    full_steps: float = 0.0
    exact_steps: float = 0.0
    looks: float = 0.0
    seconds: float = 0.0
    trains: bool = False


class TimedDisplay:
    """The display of a search, with the time that the whole of it still takes.

    Stages that are planned are expected to take what their work takes at the rates so far: seconds a full
    step and `seconds_a_look`. Rates are learnt from each stage as it goes on; before one has told what a
    step takes, nothing is said.
    """

    def __init__(self, say: Say | Display, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self._display = display_of(say)
        self._whole: Counter = UNCOUNTED
        self._plan: dict[str, Work] = {}
        self._a_step: float | None = None
        self._first: str | None = None
        self._later = 1.0  # times what the plan says that a training after the first takes
        self._exact = EXACT if has_fast_bf16() else 1.0
        self._a_look = 0.0
        self._told: tuple[float, float] | None = None  # seconds left, and when

    def __call__(self, message: str, /) -> None:
        self._display(message)

    @contextmanager
    def whole(self, name: str) -> Iterator[None]:
        """The search itself, as the stage that all others are part of."""
        with self._display.stage(name) as self._whole:
            yield

    def plan(self, stages: Mapping[str, Work], seconds_a_look: float | None = None) -> None:
        """What is still to be done, by the stages' names, in order; a stage that is planned again changes."""
        self._plan |= stages
        self._a_look = seconds_a_look or self._a_look

    def expected(self, seconds_a_step: float) -> dict[str, float]:
        """Seconds of each stage that is planned, where a step of the full network takes so many."""
        self._a_step = seconds_a_step
        return {name: self._seconds(work) or 0.0 for name, work in self._plan.items()}

    @contextmanager
    def stage(self, name: str, total: float | None = None, unit: str = "") -> Iterator[Counter]:
        with self._display.stage(name, total, unit) as counter:
            work = self._plan.get(name)
            if work is None:
                yield counter
                return
            pace = Pace(total, self._seconds(work), self.now)
            self._tell(name, pace, begins=True)
            heard = _Heard(counter, pace, lambda: self._hear(name, work, pace))
            heard.show()
            yield heard
        self._plan.pop(name, None)

    def _seconds(self, work: Work) -> float | None:
        """What it will take; None where nobody knows."""
        later = self._later if work.trains else 1.0
        steps = work.full_steps * later + work.exact_steps * self._exact
        if steps and self._a_step is None:
            return None
        return steps * (self._a_step or 0.0) + work.looks * self._a_look + work.seconds

    def _hear(self, name: str, work: Work, pace: Pace) -> None:
        whole = pace.whole_seconds
        if whole is None:
            return
        if work.looks and not work.full_steps and not work.exact_steps:
            self._a_look = whole / work.looks
        elif self._a_step is None or name == self._first:
            self._first = name  # tells what a step takes, later ones how much longer others take
            steps = work.full_steps + work.exact_steps * self._exact
            self._a_step = max(1e-9, whole - work.looks * self._a_look) / steps if steps else None
        elif work.exact_steps and not work.full_steps and not work.looks:
            self._exact = whole / work.exact_steps / self._a_step
        elif work.trains:
            self._later = whole / work.full_steps / self._a_step
        self._tell(name, pace)

    def _tell(self, name: str, pace: Pace, *, begins: bool = False) -> None:
        later = [self._seconds(work) for stage, work in self._plan.items() if stage != name]
        parts = [pace.seconds_left, *later]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return
        left, now = sum(known), self.now()
        self._whole.expect(seconds_left=left)
        if self._told is not None:
            before, at = self._told
            expected = max(1.0, before - (now - at))
            changed = not 1 / _TELL_AGAIN <= max(1.0, left) / expected <= _TELL_AGAIN
        if begins or (pace.seconds >= _TELL_AFTER and (self._told is None or changed)):
            self._told = left, now
            self._whole.describe("", f"the whole search needs about {format_seconds(left)} more")


class _Heard:
    """The counter of a stage whose progress is also heard."""

    def __init__(self, counter: Counter, pace: Pace, hear: Callable[[], None]) -> None:
        self._counter = counter
        self._pace = pace
        self._hear = hear

    def advance(self, count: float = 1.0) -> None:
        self._counter.advance(count)
        self._pace.advance(count)
        self.show()
        self._hear()

    def expect(self, total: float | None = None, seconds_left: float | None = None) -> None:
        self._counter.expect(total)
        self._pace.expect(total, seconds_left)
        self.show()
        self._hear()

    def show(self) -> None:
        """The time left as it is known here: by what was expected as the stage began, too."""
        self._counter.expect(seconds_left=self._pace.seconds_left)

    def describe(self, text: str, line: str | None = None) -> None:
        self._counter.describe(text, line)
