"""Local search on the front, and fresh draws."""

from __future__ import annotations

import numpy as np

from compresskit.pareto import pareto_mask
from compresskit.searchers.searcher import Searcher
from compresskit.spaces import Config

FRESH = 0.5


class LocalSearcher(Searcher):
    """Changes one parameter of a random member of the current front (Klein et al., arXiv 2405.02267).

    Every other proposal, by chance, is a fresh draw instead: a front is found soonest where few trials
    are spent near a poor member of it.
    """

    name = "local-search"

    def _propose(self, rng: np.random.Generator) -> Config:
        completed = self.completed
        if not completed or rng.uniform() < FRESH:
            return self.space.sample_ratio(rng)
        front = np.flatnonzero(pareto_mask([costs for _, costs in completed]))
        config, _ = completed[int(front[rng.integers(len(front))])]
        return self.space.mutate(config, rng)
