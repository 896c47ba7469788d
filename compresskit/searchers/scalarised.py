"""Bayesian optimisation of one sum of the objectives, on Syne Tune and BoTorch."""

from __future__ import annotations

import sys
from abc import abstractmethod
from typing import Any

import numpy as np
from syne_tune.optimizer.schedulers.searchers.botorch.botorch_searcher import BoTorchSearcher

from compresskit.pareto import Costs
from compresskit.searchers.gaussian import Draw, GaussianSearcher


class _Improvement(BoTorchSearcher):  # type: ignore[misc]
    """Syne Tune's searcher with random draws from the space: its own use global numpy."""

    def __init__(self, domains: dict[str, object], draw: Draw, seed: int) -> None:
        super().__init__(domains, num_restarts=2, num_raw_samples=64, random_seed=seed)
        self._draw = draw

    def _get_random_config(self) -> dict[str, float]:
        # Called where a fit failed, under a bare `except` that would swallow Ctrl-C.
        if isinstance(sys.exc_info()[1], (KeyboardInterrupt, SystemExit)):
            raise
        return self._draw()


class _ScalarisedSearcher(GaussianSearcher):
    """Maximises the expected improvement of one scalar, modelled by a Gaussian process.

    Costs are scaled to [0, 1] over the trials so far, those of ratios by their logarithm.
    """

    @abstractmethod
    def _scalars(self, costs: Costs, rng: np.random.Generator) -> Costs:
        """One cost (n,) from scaled costs (n, m)."""

    def _improvement(self, draw: Draw, seed: int) -> Any:
        return _Improvement(self._domains, draw, seed)

    def _goals(self, costs: Costs, rng: np.random.Generator) -> list[float]:
        scalars: list[float] = self._scalars(costs, rng).tolist()
        return scalars


class LinearScalarisedSearcher(_ScalarisedSearcher):
    """The mean of the scaled costs."""

    name = "bo-linear"

    def _scalars(self, costs: Costs, rng: np.random.Generator) -> Costs:
        means: Costs = costs.mean(axis=1)
        return means


class RandomScalarisedSearcher(_ScalarisedSearcher):
    """The largest weighted cost, with new random weights for each proposal (Paria et al., UAI 2019)."""

    name = "bo-random"

    def _scalars(self, costs: Costs, rng: np.random.Generator) -> Costs:
        weights = rng.dirichlet(np.ones(costs.shape[1]))
        largest: Costs = (costs * weights).max(axis=1)
        return largest
