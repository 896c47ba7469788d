"""A core that is shared out in time slices, on a simulated clock; only the noise of runs is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from compresskit.target.leg import Leg
from compresskit.target.timer import Step


class Scheduler:
    """Runs take `times_ms` of the core each, which `others(t)` programs share at `t` ms.

    Each of them gets a slice as long as ours, one after the other, once ours is used up. With `tells` legs
    have processor time and waits, as where the kernel tells them; else the wall clock alone.
    """

    def __init__(
        self,
        times_ms: dict[str, float],
        others: Callable[[float], int],
        *,
        tells: bool,
        slice_ms: float = 3.0,
        seed: int = 0,
    ) -> None:
        self.times_ms, self.slice_ms, self.tells = times_ms, slice_ms, tells
        self.now_ms = 0.0
        self._others = others
        self._left_ms = slice_ms
        self._rng = np.random.default_rng(seed)

    def run(self, plan: Sequence[Step]) -> list[Leg]:
        legs = []
        for step in plan:
            for _ in range(step.discard):
                self._one(step.slot)
            start = self.now_ms
            wall, core = np.array([self._one(step.slot) for _ in range(step.runs)]).T
            at_s = (start + self.now_ms) / 2e3
            if self.tells:
                legs.append(Leg(step.slot, at_s, tuple(core), tuple(wall), tuple(wall - core)))
            else:
                legs.append(Leg(step.slot, at_s, tuple(wall)))
        return legs

    def _one(self, slot: str) -> tuple[float, float]:
        """Wall clock and processor time of one run, ms."""
        core_ms = left_ms = float(self.times_ms[slot] * np.exp(self._rng.normal(0, 0.01)))
        start = self.now_ms
        while (others := self._others(self.now_ms)) and left_ms > self._left_ms:
            left_ms -= self._left_ms
            self.now_ms += self._left_ms + others * self.slice_ms
            self._left_ms = self.slice_ms
        if others:
            self._left_ms -= left_ms
        self.now_ms += left_ms
        return self.now_ms - start, core_ms
