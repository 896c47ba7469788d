"""A core that is shared out in time slices, on a simulated clock; only the noise of runs is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from compresskit.target.leg import Leg
from compresskit.target.timer import Step


class Scheduler:
    """Runs take `times_ms` of the core each, which `others(t)` programs share at `t` ms.

    Each of them gets a slice as long as ours, one after the other, once ours is used up. With `tells` legs
    have processor time and waits, as where the kernel tells them, and how busy the others kept both cores;
    else the wall clock alone. `refill_ms` is what a graph's run needs more after a wait has left caches
    cold: the part of it after the wait at once, the part before it in the next run. `held` is how many times
    as long a graph's run takes while others are there, who fill caches and memory all the time.
    """

    def __init__(
        self,
        times_ms: dict[str, float],
        others: Callable[[float], int],
        *,
        tells: bool,
        slice_ms: float = 3.0,
        refill_ms: dict[str, float] | None = None,
        held: dict[str, float] | None = None,
        seed: int = 0,
    ) -> None:
        self.times_ms, self.slice_ms, self.tells = times_ms, slice_ms, tells
        self.now_ms = 0.0
        self._others = others
        self._left_ms = slice_ms
        self._refill_ms = refill_ms or {}
        self._held = held or {}
        self._cold: dict[str, float] = {}  # share of a graph's next run that finds caches cold
        self._own_ms = 0.0
        self._rng = np.random.default_rng(seed)

    def run(self, plan: Sequence[Step]) -> list[Leg]:
        legs = []
        for step in plan:
            begun = self._machine_s()
            for _ in range(step.discard):
                self._one(step.slot)
            start = self.now_ms
            wall, core = np.array([self._one(step.slot) for _ in range(step.runs)]).T
            at_s = (start + self.now_ms) / 2e3
            if self.tells:
                told = begun + self._machine_s()
                legs.append(Leg(step.slot, at_s, tuple(core), tuple(wall), tuple(wall - core), told))
            else:
                legs.append(Leg(step.slot, at_s, tuple(wall)))
        return legs

    def _machine_s(self) -> tuple[float, ...]:
        """The clock, idle time (none) and ours, of a machine with this one core."""
        return self.now_ms / 1e3, 0.0, self._own_ms / 1e3

    def _one(self, slot: str) -> tuple[float, float]:
        """Wall clock and processor time of one run, ms."""
        refill_ms = self._refill_ms.get(slot, 0.0)
        core_ms = float(self.times_ms[slot] * np.exp(self._rng.normal(0, 0.01)))
        core_ms *= self._held.get(slot, 1.0) if self._others(self.now_ms) else 1.0
        core_ms += refill_ms * self._cold.pop(slot, 0.0)
        left_ms, start = core_ms, self.now_ms
        while (others := self._others(self.now_ms)) and left_ms > self._left_ms:
            left_ms -= self._left_ms
            self.now_ms += self._left_ms + others * self.slice_ms
            self._left_ms = self.slice_ms
            self._cold[slot] = 1 - left_ms / core_ms
            left_ms += refill_ms * (1 - self._cold[slot])
            core_ms += refill_ms * (1 - self._cold[slot])
        if others:
            self._left_ms -= left_ms
        self.now_ms += left_ms
        self._own_ms += core_ms
        return self.now_ms - start, core_ms
