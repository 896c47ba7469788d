"""One network that is pruned and trained in turns, from the dense model down; each size is a point."""

from __future__ import annotations

from functools import partial
from math import ceil, log

import numpy as np

from compresskit.architecture import Architecture, Candidate
from compresskit.methods.base import Made, Method, MethodContext, point_stage
from compresskit.methods.criteria import Criterion, Fisher, Magnitude
from compresskit.methods.sizes import ladder, least_share
from compresskit.pruning.rivals.order import move_to_front
from compresskit.runs.records import TrialRecord
from compresskit.supernet.importance import Importance
from compresskit.training.narrowing import narrowing

SCORED_ROWS = 512
SCORED_SHARE = 0.2  # of a size's budget, at most
STEP = 0.9  # what one step of pruning leaves of the network, about


class Gradual(Method):
    """Prune a bit, train, and go on from there; the dense model teaches throughout.

    From one size to the next the members are scored again on the present weights, and the least go step
    by step during the first half of the training. Each size has an equal share of the budget.
    """

    def __init__(self, criterion: Criterion) -> None:
        self.criterion = criterion

    def explore(self, context: MethodContext) -> list[TrialRecord]:
        assert context.settings.trials is not None
        shares = ladder(context.settings.trials, least_share(context))
        budget = context.full_steps / len(shares)
        return context.sizes(
            [
                ({"share_of_macs": share}, partial(self.make, context, trial_id, share, budget))
                for trial_id, share in enumerate(shares)
            ]
        )

    def make(self, context: MethodContext, trial_id: int, share: float, full_steps: float) -> Made:
        if trial_id == 0:
            current, model = context.full, context.fresh()
        else:
            candidate, model = context.point(trial_id - 1)
            current = candidate.architecture
        rows = self.rows(context, current, full_steps)
        cost = self.criterion.cost(context, current, rows)
        context.spend(f"scores-{trial_id}", cost)
        scores = self.criterion.scores(context, model, current, rows)
        path = move_to_front(model, self.path(context, scores, current, share))
        context.train(
            model,
            path[-1],
            point_stage(trial_id),
            full_steps - cost,
            strategy=lambda full: narrowing(tuple(path)),
        )
        return Candidate(path[-1]), model

    def rows(self, context: MethodContext, current: Architecture, full_steps: float) -> int:
        """As many as SCORED_ROWS, but scoring them takes no more than its share of the budget."""
        batch = context.settings.batch_size
        for rows in range(SCORED_ROWS, batch, -batch):
            if self.criterion.cost(context, current, rows) <= SCORED_SHARE * full_steps:
                return rows
        return batch

    def path(
        self, context: MethodContext, scores: Importance, current: Architecture, share: float
    ) -> list[Architecture]:
        """Architectures from `current` down to `share`, each within the one before."""
        before = context.macs(current) / context.full_macs
        steps = max(1, ceil(log(max(before / share, 1.0)) / -log(STEP)))
        path = [current]
        for target in np.geomspace(max(before, share), share, steps + 1)[1:]:
            path.append(self.criterion.choose(context, scores, path[-1], float(target)))
        return path[1:]


METHODS: dict[str, Method] = {"magnitude": Gradual(Magnitude()), "fisher": Gradual(Fisher())}
