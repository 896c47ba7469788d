"""Random search."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from compresskit.searchers.searcher import Searcher
from compresskit.spaces import Config


class RandomSearcher(Searcher):
    """Draws from the space, sizes first; what was measured plays no part."""

    name = "random"
    attempts: ClassVar[int] = 100

    def _propose(self, rng: np.random.Generator) -> Config:
        return self.space.sample_ratio(rng)
