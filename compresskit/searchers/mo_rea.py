"""Multi-objective regularized evolution, on Syne Tune."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from syne_tune.optimizer.schedulers.multiobjective import MultiObjectiveRegularizedEvolution

from compresskit.searchers.objectives import scaled_costs
from compresskit.searchers.ranking import NonDominatedRank
from compresskit.searchers.searcher import Searcher, small_seed
from compresskit.spaces import Config, Space

POPULATION = 10


class _Evolution(MultiObjectiveRegularizedEvolution):  # type: ignore[misc]
    """Syne Tune's population and priorities with the space's own mutation.

    Syne Tune draws from the global numpy generator while its population fills, and mutates one
    bit at a time, of tens of thousands in space `large`.
    """

    def __init__(self, space: Space, domains: dict[str, Any], rng: np.random.Generator) -> None:
        super().__init__(
            domains,
            population_size=POPULATION,
            multiobjective_priority=NonDominatedRank(),
            random_seed=small_seed(rng),
        )
        self._space = space
        self._rng = rng

    def suggest(self, **_: object) -> Config:
        drawn = self._rng.choice(len(self.population), size=self.sample_size)
        parent = min(
            (self.population[int(i)] for i in np.asarray(drawn)), key=lambda element: float(element.score)
        )
        return self._space.mutate(parent.config, self._rng)


class MoReaSearcher(Searcher):
    """Regularized evolution (Real et al., 2019) with parents chosen by non-dominated sorting.

    A population of the last 10 trials, as in Klein et al. (arXiv 2405.02267, section 4): the best
    ranked of 10 draws becomes the parent, and one of its parameters is drawn again.
    """

    name = "mo-rea"

    @cached_property
    def _domains(self) -> dict[str, Any]:
        return self.space.config_space()

    def _propose(self, rng: np.random.Generator) -> Config:
        completed = self.completed
        if len(completed) < POPULATION:
            return self.space.sample_ratio(rng)
        evolution = _Evolution(self.space, self._domains, rng)
        # Older trials have left the population, and priorities are computed within it.
        latest = completed[-POPULATION - 1 :]
        rows = scaled_costs([costs for _, costs in latest], self.objectives)
        for number, ((config, _), row) in enumerate(zip(latest, rows, strict=True)):
            evolution.on_trial_complete(number, config, list(row))
        return evolution.suggest()
