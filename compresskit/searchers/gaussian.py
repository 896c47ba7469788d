"""What the searchers with Gaussian processes share: limits, and a quiet, seeded call of BoTorch."""

from __future__ import annotations

import contextlib
import logging
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from syne_tune.config_space import uniform

from compresskit.pareto import Costs
from compresskit.searchers.objectives import scaled_costs
from compresskit.searchers.searcher import Searcher, small_seed
from compresskit.spaces import Config, Space

Draw = Callable[[], dict[str, float]]
"""A random configuration, as places in its domains."""
MAX_PARAMETERS = 128
NUM_INITIAL = 6  # completed trials before the first model: three given, three drawn


class GaussianSearcher(Searcher):
    """A searcher that fits a Gaussian process to the trials; it serves spaces of up to 128 parameters."""

    attempts: ClassVar[int] = 1  # a second fit would find the same optimum again

    @classmethod
    def refusal(cls, space: Space) -> str | None:
        if len(space.parameters) <= MAX_PARAMETERS:
            return None
        return (
            f"it models at most {MAX_PARAMETERS} parameters; space {space.name} has {len(space.parameters)}"
        )

    @abstractmethod
    def _improvement(self, draw: Draw, seed: int) -> Any:
        """Syne Tune's searcher of `_domains`."""

    @abstractmethod
    def _goals(self, costs: Costs, rng: np.random.Generator) -> Sequence[Any]:
        """What it is told of each trial, from costs (n, m) scaled to [0, 1] over the trials so far."""

    def _propose(self, rng: np.random.Generator) -> Config:
        completed = self.completed
        if len(completed) < NUM_INITIAL:
            return self.space.sample_ratio(rng)
        goals = self._goals(scaled_costs([costs for _, costs in completed], self.objectives), rng)
        with quiet_and_seeded(rng) as seed:
            improvement = self._improvement(lambda: self._drawn(rng), seed)
            for number, ((config, _), goal) in enumerate(zip(completed, goals, strict=True)):
                improvement.trial_configs[number] = self._places(config)
                improvement.on_trial_complete(number, improvement.trial_configs[number], goal)
            return self._at(improvement.suggest())

    @cached_property
    def _domains(self) -> dict[str, Any]:
        """Syne Tune's domains of the places of the parameters that vary."""
        return {p.name: uniform(0.0, 1.0) for p in self.space.parameters if p.count > 1}

    def _places(self, config: Config) -> dict[str, float]:
        """Where a configuration lies in `_domains`.

        Logarithms, for a head more is much where there is one and little where there are seventy.
        """
        return {
            p.name: float(np.log1p((config[p.name] - p.lower) // p.step) / np.log(p.count))
            for p in self.space.parameters
            if p.count > 1
        }

    def _drawn(self, rng: np.random.Generator) -> dict[str, float]:
        """Places of a random configuration."""
        return self._places(self.space.sample_ratio(rng))

    def _at(self, places: Mapping[str, float]) -> Config:
        """The configuration nearest to these places."""
        indices = {
            p.name: round(float(np.expm1(places.get(p.name, 0.0) * np.log(p.count))))
            for p in self.space.parameters
        }
        return {p.name: p.value(min(indices[p.name], p.count - 1)) for p in self.space.parameters}


@contextlib.contextmanager
def quiet_and_seeded(rng: np.random.Generator) -> Iterator[int]:
    """A seed for torch, whose global generator is restored; BoTorch's remarks on its fits are dropped.

    Double precision is the default within: Syne Tune makes targets in the default type, which
    BoTorch refuses to mix with its models in double precision. One thread is used: matrices of some
    dozens of rows take three times as long on several.
    A fit that fails is no matter for the user: the proposal is then a random one.
    """
    seed = small_seed(rng)
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    logger = logging.getLogger()
    level = logger.level
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        torch.manual_seed(seed)
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(1)
        try:
            yield seed
        finally:
            torch.set_default_dtype(dtype)
            torch.set_num_threads(threads)
            logger.setLevel(level)
