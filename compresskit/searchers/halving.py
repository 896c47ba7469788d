"""Which trials are worth more training: asynchronous successive halving, on Syne Tune."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from syne_tune.backend.trial_status import Trial
from syne_tune.optimizer.scheduler import SchedulerDecision
from syne_tune.optimizer.schedulers.multiobjective.moasha import MOASHA

from compresskit.searchers.objectives import Objective, scaled_costs
from compresskit.searchers.ranking import NonDominatedRank

REDUCTION = 3
_EPOCHS = "epochs"


@dataclass(frozen=True)
class Rung:
    """What a trial had come to after some epochs; `costs` are one an objective, as measured."""

    trial_id: int
    epochs: int
    costs: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Rung:
        return cls(int(value["trial_id"]), int(value["epochs"]), tuple(map(float, value["costs"])))


class Halving:
    """Multi-objective ASHA (Schmucker et al. 2021, arXiv 2106.12639), one trial at a time.

    At 1, 3, 9, ... epochs a trial goes on if its rank among all that came so far, by non-dominated
    sorting, is in the best third; at `most` epochs it is done. Decisions depend on the rungs told, in their
    order, and on nothing else: told those of an interrupted search, it goes on as an unbroken one would.
    """

    def __init__(self, objectives: Sequence[Objective], most: int) -> None:
        self.objectives = tuple(objectives)
        self._trials: dict[int, Trial] = {}
        self._decided: dict[tuple[int, int], bool] = {}
        self._scheduler = MOASHA(
            {},
            metrics=[objective.name for objective in objectives],
            time_attr=_EPOCHS,
            multiobjective_priority=_ScaledRank(self.objectives),
            max_t=most,
            reduction_factor=REDUCTION,
            random_seed=0,
        )

    def goes_on(self, rung: Rung) -> bool:
        """Whether the trial is trained further; a known rung is not reported again."""
        key = rung.trial_id, rung.epochs
        if key not in self._decided:
            trial = self._trial(rung.trial_id)
            names = (objective.name for objective in self.objectives)
            result = {**dict(zip(names, rung.costs, strict=True)), _EPOCHS: rung.epochs}
            decision = self._scheduler.on_trial_result(trial, result)
            self._decided[key] = decision == SchedulerDecision.CONTINUE
            if not self._decided[key]:
                self._scheduler.on_trial_complete(trial, result)
        return self._decided[key]

    def failed(self, trial_id: int) -> None:
        """The trial broke off; rungs that it had come to still count."""
        self._scheduler.on_trial_error(self._trial(trial_id))

    def replay(self, rungs: Iterable[Rung]) -> None:
        for rung in rungs:
            self.goes_on(rung)

    def _trial(self, trial_id: int) -> Trial:
        if trial_id not in self._trials:
            # The time of creation plays no part in a decision.
            self._trials[trial_id] = Trial(trial_id, {}, datetime.datetime.min)
            with _global_state_kept():
                self._scheduler.on_trial_add(self._trials[trial_id])
        return self._trials[trial_id]


class _ScaledRank(NonDominatedRank):
    """Ranks of costs that are brought to one scale first."""

    def __init__(self, objectives: Sequence[Objective]) -> None:
        super().__init__()
        self.objectives = objectives

    def priority_unsafe(self, objectives: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
        return super().priority_unsafe(scaled_costs(objectives.tolist(), self.objectives))


@contextlib.contextmanager
def _global_state_kept() -> Iterator[None]:
    """Syne Tune draws a trial's bracket, of which there is one, from numpy's global generator."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)
