"""Local search on the front."""

from __future__ import annotations

import numpy as np

from compresskit.pareto import pareto_mask
from compresskit.search.searcher import Searcher
from compresskit.spaces import Config


class LocalSearcher(Searcher):
    """Changes one parameter of a random member of the current front (Klein et al., arXiv 2405.02267)."""

    name = "local-search"

    def _propose(self, rng: np.random.Generator) -> Config:
        completed = self.completed
        if not completed:
            return self.space.sample(rng)
        front = np.flatnonzero(pareto_mask([costs for _, costs in completed]))
        config, _ = completed[int(front[rng.integers(len(front))])]
        return self.space.mutate(config, rng)
