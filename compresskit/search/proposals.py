"""Several proposals a trial: the one whose predicted latency the front lacks most is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from compresskit.architecture import Candidate
from compresskit.pareto import pareto_mask
from compresskit.search.additive import AdditiveLatency, Array
from compresskit.search.searcher import Searcher
from compresskit.spaces import Config

_FIRST_ATTEMPT = 1000  # beyond those of `ask`, so that these proposals are others


class GapSearcher(Searcher):
    """Lets another searcher propose `count` architectures and asks for one of them.

    An additive model is fitted to the latencies measured so far; the proposal that it predicts farthest
    from every point of the front, as a ratio, is asked for. So trials do not crowd where the front is known
    already. A prediction only chooses: what is asked for is measured as ever. Until the model has enough
    measurements, and where latency is no objective, the other searcher's own proposal is taken.
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
        known = np.log(self._front_latencies())
        proposals = [first, *self._more(first)]
        return proposals[int(np.argmax([self._gap(config, models, known) for config in proposals]))]

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

    def _gap(self, config: Config, models: Mapping[str, AdditiveLatency], known: Array) -> float:
        """How far, as a logarithm, its predicted latency is from the front's; 0 where none is predicted."""
        candidate = self.space.candidate(config)
        model = models.get(candidate.precision)
        if model is None:
            return 0.0
        predicted_ms = max(model.predict_ms(candidate.architecture.shapes), 1e-9)
        return float(np.abs(known - np.log(predicted_ms)).min())

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

    def _front_latencies(self) -> list[float]:
        assert self._latency is not None
        rows = [trial.costs for trial in self.told if trial.costs is not None]
        return [row[self._latency] for row, kept in zip(rows, pareto_mask(rows), strict=True) if kept]
