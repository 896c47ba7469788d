"""Networks of fewer heads and units, each cut out of the dense model at once and trained alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import cache, partial

from compresskit.architecture import Candidate
from compresskit.methods.base import Made, Method, MethodContext, point_stage
from compresskit.methods.criteria import Criterion, Fisher, Magnitude
from compresskit.methods.sizes import ladder, least_even_share, least_share
from compresskit.pruning.rivals.order import move_to_front
from compresskit.pruning.rivals.uniform import uniform
from compresskit.runs.records import TrialRecord

SCORED_ROWS = 2048
Prune = Callable[[float], Made]


class IndependentSizes(Method):
    """Each size is pruned from the dense model, and learns from it with an equal share of the budget."""

    def explore(self, context: MethodContext) -> list[TrialRecord]:
        assert context.settings.trials is not None
        shares = ladder(context.settings.trials, self.smallest(context))
        budget = max(0.0, context.full_steps - self.cost(context)) / len(shares)
        prune = self.pruner(context)
        return context.sizes(
            [
                ({"share_of_macs": share}, partial(_make, context, prune, trial_id, share, budget))
                for trial_id, share in enumerate(shares)
            ]
        )

    @abstractmethod
    def pruner(self, context: MethodContext) -> Prune:
        """What cuts a fresh copy of the dense model to a share of its multiply-accumulates."""

    def smallest(self, context: MethodContext) -> float:
        """The least share of the dense multiply-accumulates that the method can prune to."""
        return least_share(context)

    def cost(self, context: MethodContext) -> float:
        """Full steps that are spent before any training."""
        return 0.0


class Uniform(IndependentSizes):
    """The same share of heads and units in every layer, in the dense model's order of importance."""

    def pruner(self, context: MethodContext) -> Prune:
        dims, costs, multiple = context.blueprint.dims, context.mac_costs, context.settings.unit_multiple

        def prune(share: float) -> Made:
            return Candidate(uniform(dims, costs, share * context.full_macs, multiple)), context.fresh()

        return prune

    def smallest(self, context: MethodContext) -> float:
        return least_even_share(context)


class OneShot(IndependentSizes):
    """The best heads and units of all layers by one criterion, scored on the dense model."""

    def __init__(self, criterion: Criterion) -> None:
        self.criterion = criterion

    def pruner(self, context: MethodContext) -> Prune:
        scores = cache(lambda: self.criterion.scores(context, context.dense, context.full, SCORED_ROWS))

        def prune(share: float) -> Made:
            model = context.fresh()
            (kept,) = move_to_front(model, [self.criterion.choose(context, scores(), context.full, share)])
            return Candidate(kept), model

        return prune

    def cost(self, context: MethodContext) -> float:
        cost = self.criterion.cost(context, context.full, SCORED_ROWS)
        context.spend("scores", cost)
        return cost


def _make(context: MethodContext, prune: Prune, trial_id: int, share: float, full_steps: float) -> Made:
    candidate, model = prune(share)
    context.train(model, candidate.architecture, point_stage(trial_id), full_steps)
    return candidate, model


METHODS: dict[str, Method] = {
    "uniform": Uniform(),
    "magnitude-one-shot": OneShot(Magnitude()),
    "fisher-one-shot": OneShot(Fisher()),
}
