"""NSGA-II, on pymoo."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair

from compresskit.searchers.searcher import Searcher, small_seed
from compresskit.spaces import Config, Parameter

POPULATION = 10
_PATIENCE = 20  # generations without a new architecture after which it gives up on finding one
_FAILED = 1e30  # cost and violation of a failed trial: behind everything that was measured


class Nsga2Searcher(Searcher):
    """NSGA-II (Deb et al., 2002) with a population of 10, on the index of each parameter's value.

    The generations so far are bred again from the seed and the trials told: individuals that were
    told get their costs, and the first that was not is the proposal. Constraints are its own: costs that
    depend on later trials would breed other generations.
    """

    name = "nsga2"
    attempts: ClassVar[int] = 1

    @cached_property
    def _varying(self) -> list[Parameter]:
        return [p for p in self.space.parameters if p.count > 1]

    def _propose(self, rng: np.random.Generator) -> Config:
        failed = ((_FAILED,) * len(self.objectives), _FAILED)
        known = {t.candidate: (t.costs, t.violation) if t.costs else failed for t in self.told}
        # Not `rng`: the same generations have to come again however many trials were told.
        algorithm = self._algorithm(np.random.default_rng(self.seed))
        for _ in range(len(known) + _PATIENCE):
            infills = algorithm.ask()
            if infills is None or len(infills) == 0:
                break
            configs = [self._config(row) for row in infills.get("X")]
            candidates = [self.space.candidate(config) for config in configs]
            for config, candidate in zip(configs, candidates, strict=True):
                if candidate not in known:
                    return config
            costs, violations = zip(*(known[c] for c in candidates), strict=True)
            infills.set("F", np.array(costs), "G", np.array(violations)[:, None])
            algorithm.tell(infills=infills)
        return self.space.sample_ratio(rng)

    def _algorithm(self, rng: np.random.Generator) -> NSGA2:
        parents = [self.space.config_of(candidate) for candidate in self._given]
        parents += [self.space.sample_ratio(rng) for _ in range(POPULATION - len(parents))]
        rows = [[(config[p.name] - p.lower) // p.step for p in self._varying] for config in parents]
        algorithm = NSGA2(
            pop_size=POPULATION,
            sampling=np.array(rows, dtype=np.float64),
            crossover=SBX(repair=RoundingRepair()),
            mutation=PM(repair=RoundingRepair()),
            eliminate_duplicates=True,
        )
        problem = Problem(
            n_var=len(self._varying),
            n_obj=len(self.objectives),
            n_ieq_constr=1,
            xl=0,
            xu=np.array([p.count - 1 for p in self._varying]),
        )
        algorithm.setup(problem, termination=NoTermination(), seed=small_seed(rng), verbose=False)
        return algorithm

    def _config(self, row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Config:
        config = {p.name: p.lower for p in self.space.parameters}
        return config | {p.name: p.value(round(float(x))) for p, x in zip(self._varying, row, strict=True)}
