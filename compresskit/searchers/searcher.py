"""What every searcher does: propose a configuration, learn its costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from compresskit.architecture import Architecture, Candidate
from compresskit.runs.records import TrialRecord
from compresskit.searchers.constraints import UNBOUND, Constraints, feasible_first
from compresskit.searchers.objectives import Objective, costs_of
from compresskit.spaces import Config, Space

_WALK = 20  # steps away from a proposal that is known already
_SAMPLES = 100  # random draws after that
_ENUMERABLE = 1 << 16  # spaces up to this size are listed when draws find nothing new


@dataclass(frozen=True)
class KnownTrial:
    """A trial that a searcher knows of: `costs` None where it failed, `violation` 0 where it is feasible."""

    config: Config
    candidate: Candidate
    costs: tuple[float, ...] | None
    violation: float = 0.0

    @property
    def architecture(self) -> Architecture:
        return self.candidate.architecture


class Searcher(ABC):
    """Proposes configurations of a space.

    Contract (see the contract suite in the tests):
    - The first proposals are full, smallest and middle, in each precision of the space, then those that
      it was given to `begin_with`.
    - `ask` depends on the seed and on what was told, in its order, and on nothing else: asking
      twice gives the same answer, and a searcher that is told the records of an interrupted search
      (`replay`) goes on with the proposals that an unbroken search would have made. It neither
      reads nor moves any global random generator.
    - `ask` never proposes a candidate that was told. It returns None when there is no
      other, or none can be found.
    - `tell` takes the costs, one an objective and all minimised, or None for a trial that failed, and by
      how much the trial breaks the constraints: what is feasible comes before all that is not.

    To that end each implementation's `_propose` rebuilds what it needs from `self.told`, with
    the generator it is given.
    """

    name: ClassVar[str]
    attempts: ClassVar[int] = 3  # proposals made before stepping aside from a known one

    def __init__(self, space: Space, objectives: Sequence[Objective], seed: int) -> None:
        self.space = space
        self.objectives = tuple(objectives)
        self.seed = seed
        self.told: list[KnownTrial] = []
        self._given = space.initial_candidates
        self._seen: set[Candidate] = set()

    def begin_with(self, candidates: Iterable[Candidate]) -> None:
        """Propose `candidates`, which are in the space, right after the initial design."""
        self._given = tuple(dict.fromkeys((*self._given, *candidates)))

    @classmethod
    def refusal(cls, space: Space) -> str | None:
        """Why this searcher cannot serve `space`; None where it can."""
        return None

    @abstractmethod
    def _propose(self, rng: np.random.Generator) -> Config:
        """A configuration in the light of `self.told`; it may be a known one."""

    def ask(self) -> Config | None:
        """The configuration to try next, canonical and new; None when the space has no other."""
        if len(self._seen) >= self.space.size:
            return None
        for candidate in self._given:
            if candidate not in self._seen:
                return self.space.config_of(candidate)
        config: Config = {}
        for attempt in range(self.attempts):
            config = self.space.canonical(self._propose(self._generator(attempt)))
            if self._is_new(config):
                return config
        return self._new_near(config)

    def _new_near(self, config: Config) -> Config | None:
        """A new configuration a few steps from `config`, else any new one."""
        rng = self._generator(self.attempts)
        for _ in range(_WALK):
            config = self.space.mutate(config, rng)
            if self._is_new(config):
                return config
        for _ in range(_SAMPLES):
            config = self.space.canonical(self.space.sample_ratio(rng))
            if self._is_new(config):
                return config
        if self.space.size > _ENUMERABLE:
            return None
        others = [config for config in self.space.enumerate_configs() if self._is_new(config)]
        return others[int(rng.integers(len(others)))] if others else None

    def tell(
        self,
        trial_id: int,
        config: Mapping[str, Any],
        costs: Sequence[float] | None,
        violation: float = 0.0,
    ) -> None:
        """Learn what `config` cost (None: its evaluation failed), and how far it is from feasible.

        Trials are numbered from 0 in the order they are told; raises ValueError otherwise.
        """
        if trial_id != len(self.told):
            raise ValueError(f"trial {trial_id} was reported where trial {len(self.told)} was expected.")
        candidate = self.space.candidate(config)
        row = None if costs is None else tuple(float(cost) for cost in costs)
        self.told.append(KnownTrial(self.space.config_of(candidate), candidate, row, violation))
        self._seen.add(candidate)

    def replay(self, records: Iterable[TrialRecord], constraints: Constraints = UNBOUND) -> None:
        """Learn the recorded trials of an earlier process, so that the same search goes on."""
        for record in records:
            config = self.space.config_of(record.candidate)
            costs = costs_of(record, self.objectives) if record.is_completed else None
            self.tell(record.trial_id, config, costs, constraints.violation(record))

    @property
    def completed(self) -> list[tuple[Config, tuple[float, ...]]]:
        """Configuration and costs of each trial that did not fail, by `feasible_first`."""
        good = [trial for trial in self.told if trial.costs is not None]
        rows = [trial.costs for trial in good if trial.costs is not None]
        costs = feasible_first(rows, [trial.violation for trial in good], self.objectives)
        return [(trial.config, row) for trial, row in zip(good, costs, strict=True)]

    def _is_new(self, config: Config) -> bool:
        return self.space.candidate(config) not in self._seen

    def _generator(self, attempt: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, len(self.told), attempt))


def small_seed(rng: np.random.Generator) -> int:
    """A seed for libraries that take 31 bits."""
    return int(rng.integers(2**31 - 1))
