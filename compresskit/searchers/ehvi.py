"""Expected hypervolume improvement, on Syne Tune and BoTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
from syne_tune.optimizer.schedulers.multiobjective.expected_hyper_volume_improvement import (
    ExpectedHyperVolumeImprovement,
)

from compresskit.pareto import Costs
from compresskit.searchers.gaussian import Draw, GaussianSearcher

# Syne Tune maximises -cost above the reference point (2, 2), so costs must lie below -2. Scaled
# costs lie in [0, 1]; this shift puts the reference at 1.1, just beyond the worst point.
_SHIFT = 3.1


class _Improvement(ExpectedHyperVolumeImprovement):  # type: ignore[misc]
    """Syne Tune's searcher with random draws from the space: its own use global numpy, bit by bit."""

    def __init__(self, domains: dict[str, object], draw: Draw, seed: int) -> None:
        super().__init__(domains, num_restarts=2, num_raw_samples=64, mc_samples=64, random_seed=seed)
        self._draw = draw

    def _get_random_config(self) -> dict[str, float]:
        return self._draw()


class EhviSearcher(GaussianSearcher):
    """Maximises the expected hypervolume improvement (Daulton et al., NeurIPS 2020).

    One Gaussian process models each objective. Costs are scaled to [0, 1] over the trials so far,
    those of ratios (latency, size) by their logarithm; the reference point lies a tenth beyond the
    worst of them.
    """

    name = "ehvi"

    def _improvement(self, draw: Draw, seed: int) -> Any:
        return _Improvement(self._domains, draw, seed)

    def _goals(self, costs: Costs, rng: np.random.Generator) -> list[list[float]]:
        rows: list[list[float]] = (costs - _SHIFT).tolist()
        return rows
