"""Several proposals a trial: the one that promises the front most, by its predicted latency, is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from compresskit.architecture import Candidate
from compresskit.pareto import pareto_mask
from compresskit.searchers.additive import AdditiveLatency, Array
from compresskit.searchers.searcher import Searcher
from compresskit.spaces import Config

_FIRST_ATTEMPT = 1000  # beyond those of `ask`, so that these proposals are others


class GapSearcher(Searcher):
    """Lets another searcher propose `count` architectures and asks for one of them.

    An additive model is fitted to the latencies measured so far. A proposal between two points of the front
    is taken to be as good as the straight line between them, in the logarithm of latency: the one that would
    add most area is asked for, and a gap counts less with each trial in it that gained nothing. A prediction
    only chooses: what is asked for is always measured. Until the model has enough measurements, and where
    latency is no objective, the other searcher's own proposal is taken.
    """

    name = "gaps"

    def __init__(self, inner: Searcher, count: int) -> None:
        super().__init__(inner.space, inner.objectives, inner.seed)
        self._inner = inner
        self._count = count
        self._latency = next((i for i, one in enumerate(self.objectives) if one.name == "latency_ms"), None)

    def begin_with(self, candidates: Iterable[Candidate]) -> None:
        given = tuple(candidates)
        super().begin_with(given)
        self._inner.begin_with(given)

    def ask(self) -> Config | None:
        first = self._inner.ask()
        models = self._models()
        if first is None or not models or not set(self._given) <= self._seen:
            return first
        front = self._front()
        proposals = [first, *self._more(first)]
        return proposals[int(np.argmax([self._promise(config, models, front) for config in proposals]))]

    def tell(
        self,
        trial_id: int,
        config: Mapping[str, Any],
        costs: Sequence[float] | None,
        violation: float = 0.0,
    ) -> None:
        super().tell(trial_id, config, costs, violation)
        self._inner.tell(trial_id, config, costs, violation)

    def _propose(self, rng: np.random.Generator) -> Config:
        return self._inner._propose(rng)

    def _more(self, first: Config) -> list[Config]:
        """Other new proposals; none of a searcher for which each costs a fit of its own."""
        if self._inner.attempts == 1:
            return []
        found: list[Config] = []
        for attempt in range(_FIRST_ATTEMPT, _FIRST_ATTEMPT + self._count - 1):
            config = self.space.canonical(self._propose(self._generator(attempt)))
            if self._is_new(config) and config != first and config not in found:
                found.append(config)
        return found

    def _promise(self, config: Config, models: Mapping[str, AdditiveLatency], front: Array) -> float:
        """Area that it adds if it is as good as the line between its neighbours; 0 with no prediction."""
        candidate = self.space.candidate(config)
        model = models.get(candidate.precision)
        if model is None:
            return 0.0
        place = np.log(max(model.predict_ms(candidate.architecture.shapes), 1e-9))
        slower = int(np.searchsorted(front[:, 0], place))
        if slower in (0, len(front)):
            return 0.0
        (left, worse), (right, better) = front[slower - 1 : slower + 1]
        tried = self._tried(np.exp(left), np.exp(right))
        return float((right - place) * (place - left) / (right - left) * (worse - better) / (1 + tried))

    def _tried(self, low_ms: float, high_ms: float) -> int:
        """Trials between these latencies, both excluded."""
        assert self._latency is not None
        return sum(t.costs is not None and low_ms < t.costs[self._latency] < high_ms for t in self.told)

    def _models(self) -> dict[str, AdditiveLatency]:
        """A model for each precision of which enough was measured."""
        if self._latency is None:
            return {}
        found = {}
        for precision in {trial.candidate.precision for trial in self.told}:
            good = [
                (trial.architecture.shapes, trial.costs[self._latency])
                for trial in self.told
                if trial.costs is not None and trial.candidate.precision == precision
            ]
            model = AdditiveLatency.fit([shapes for shapes, _ in good], [ms for _, ms in good])
            if model is not None:
                found[precision] = model
        return found

    def _front(self) -> Array:
        """(points, 2) of what keeps the limits: logarithm of latency, ascending, and what falls with it."""
        assert self._latency is not None
        other = 1 if self._latency == 0 else 0
        kept = [t.costs for t in self.told if t.costs is not None and not t.violation]
        rows = [(costs[self._latency], costs[other]) for costs in kept]
        if not rows:
            return np.empty((0, 2))
        front = [row for row, best in zip(rows, pareto_mask(rows), strict=True) if best]
        found = np.array(sorted([*front, *self._edge(*min(front))]))
        found[:, 0] = np.log(found[:, 0])
        return found

    def _edge(self, fastest_ms: float, cost: float) -> list[tuple[float, float]]:
        """Latency and cost of the fastest trial where it is faster than the front, at what limits permit.

        A violation of the metric's limit is what the metric lacks.
        """
        latency = self._latency
        assert latency is not None
        if self.objectives[1 - latency].name != "metric":
            return []
        broken = [(t.costs, t.violation) for t in self.told if t.costs is not None and t.violation]
        if not broken:
            return []
        costs, violation = min(broken, key=lambda each: each[0][latency])
        edge = max(costs[1 - latency] - violation, cost)
        return [(costs[latency], edge)] if costs[latency] < fastest_ms else []
