"""A machine whose graphs take known times on a simulated clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compresskit.target.leg import REFERENCE, Leg
from compresskit.target.timer import Step


class Machine:
    """Runs take `times_ms` each, times noise of `scatter`; one in thirty takes much longer.

    `drift` is the size of a slow random walk that meets all graphs alike, `own` that of noise which lasts
    150 ms and meets candidates alone. `load` is by how much each slot is slower (a logarithm) while another
    program runs, which it does on and off for a second and a half each, on average. The clock only moves
    with the runs.
    """

    def __init__(
        self,
        times_ms: dict[str, float],
        seed: int,
        *,
        scatter: float = 0.01,
        drift: float = 0.0,
        own: float = 0.0,
        load: dict[str, float] | None = None,
    ) -> None:
        self._times_ms, self._scatter, self._drift, self._own = times_ms, scatter, drift, own
        self._rng = np.random.default_rng(seed)
        self._slow, self._quick = self._rng.standard_normal(2)
        self._load, self._is_loaded, self._until_s = load or {}, True, 0.0
        self.now_s = 0.0
        self.slowdown = 1.0
        self.runs: list[tuple[str, int]] = []

    def run(self, plan: Sequence[Step]) -> list[Leg]:
        legs = []
        for step in plan:
            self._take(step.slot, step.discard)
            start = self.now_s
            samples = self._take(step.slot, step.runs)
            legs.append(Leg(step.slot, (start + self.now_s) / 2, tuple(samples)))
            self.runs.append((step.slot, step.runs))
        return legs

    def _take(self, slot: str, runs: int) -> list[float]:
        rng, usual_ms = self._rng, self._times_ms[slot] * self.slowdown
        self._slow = self._step(self._slow, usual_ms * runs / 5000)
        factor = np.exp(self._drift * self._slow + self._scatter * rng.standard_normal(runs))
        if self._own:
            for i in range(runs):
                self._quick = self._step(self._quick, usual_ms / 150)
                if slot != REFERENCE:
                    factor[i] *= np.exp(self._own * self._quick)
        if self._load:
            at_s = self.now_s
            for i in range(runs):
                if at_s >= self._until_s:
                    self._is_loaded = not self._is_loaded
                    self._until_s = at_s + rng.exponential(1.5)
                factor[i] *= np.exp(self._load[slot] * self._is_loaded)
                at_s += usual_ms * factor[i] / 1e3
        late = np.where(rng.random(runs) < 0.03, 1 + rng.exponential(0.5, runs), 1)
        samples = usual_ms * factor * late
        self.now_s += float(samples.sum()) / 1e3
        return [float(sample) for sample in samples]

    def _step(self, value: float, spans: float) -> float:
        keep = np.exp(-spans)
        return float(keep * value + np.sqrt(1 - keep * keep) * self._rng.standard_normal())
