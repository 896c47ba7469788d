"""Pruning without training (Kwon et al. 2022, arXiv 2204.09656), under a budget of MACs or of latency."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from compresskit.architecture import Architecture, Candidate
from compresskit.methods.base import Made, Method, MethodContext
from compresskit.methods.criteria import Fisher, gradients_of
from compresskit.methods.sizes import ladder, least_even_share
from compresskit.pruning.rivals.costs import Costs, interpolated_costs
from compresskit.pruning.rivals.order import move_to_front
from compresskit.pruning.rivals.retraining_free.rearrange import rearrange
from compresskit.pruning.rivals.retraining_free.tune import tune
from compresskit.pruning.rivals.scores import MaskGradients
from compresskit.pruning.rivals.selection import select
from compresskit.runs.records import TrialRecord
from compresskit.training.cost import FORWARD

SCORED_ROWS = 2048
TUNED_ROWS = 512
MEASURED = 4  # counts of heads, and of units, whose latency is measured
CORRECTIONS = 3  # of a latency budget, where what was chosen is slower than the additive model says
Gradients = Callable[[], MaskGradients]


class RetrainingFree(Method):
    """Search masks by Fisher information, rearrange them, and scale what stays by least squares."""

    def explore(self, context: MethodContext) -> list[TrialRecord]:
        assert context.settings.trials is not None
        shares = ladder(context.settings.trials, self.smallest(context))
        context.spend("scores", Fisher().cost(context, context.full, SCORED_ROWS))
        gradients = cache(lambda: gradients_of(context, context.dense, context.full, SCORED_ROWS))
        return context.sizes(
            [
                (self.config(share), partial(self.make, context, trial_id, gradients, share))
                for trial_id, share in enumerate(shares)
            ]
        )

    def make(self, context: MethodContext, trial_id: int, gradients: Gradients, share: float) -> Made:
        kept = self.choose(context, gradients(), share)
        model = context.fresh()
        batches = context.batches(TUNED_ROWS)
        found = tune(model, kept, context.dense, batches)
        # One forward pass of the dense model to begin with and one more of its layers, three of the pruned.
        passes = 2 + 3 * context.macs(kept) / context.full_macs
        context.spend(f"point-{trial_id}", FORWARD * passes * len(batches))
        context.display(f"tuned {found.scaled} sub-layers, {found.rejected} left as they were")
        (kept,) = move_to_front(model, [kept])
        return Candidate(kept), model

    def config(self, share: float) -> dict[str, float]:
        return {"share_of_macs": share}

    def smallest(self, context: MethodContext) -> float:
        """The least share of the dense cost, with a head and a group of units in every layer."""
        return least_even_share(context)

    def choose(self, context: MethodContext, gradients: MaskGradients, share: float) -> Architecture:
        return self.within(context, gradients, context.mac_costs, share * context.full_macs)

    def within(
        self, context: MethodContext, gradients: MaskGradients, costs: Costs, limit: float
    ) -> Architecture:
        multiple = context.settings.unit_multiple
        kept = select(gradients.fisher(), context.full, costs, limit, multiple=multiple, least=1)
        return rearrange(kept, gradients)


class UnderLatency(RetrainingFree):
    """Sizes are shares of the dense model's latency, measured on the target.

    Latency is taken as a sum over layers, as in section 4.1 of the paper, fitted to measured uniform
    networks; where the network chosen is slower than it should be, the budget is cut and it is chosen again.
    """

    def config(self, share: float) -> dict[str, float]:
        return {"share_of_latency": share}

    def smallest(self, context: MethodContext) -> float:
        return self.measure(context, self.least(context)) / self.measure(context, context.full)

    def choose(self, context: MethodContext, gradients: MaskGradients, share: float) -> Architecture:
        costs, wanted = self.costs(context), share * self.measure(context, context.full)
        least = costs.of(self.least(context))
        limit = max(least, wanted)
        kept = self.within(context, gradients, costs, limit)
        for _ in range(CORRECTIONS):
            found = self.measure(context, kept)
            if found <= wanted or limit <= least:
                break
            limit = max(least, limit * wanted / found)
            kept = self.within(context, gradients, costs, limit)
        return kept

    def costs(self, context: MethodContext) -> Costs:
        """Milliseconds of a layer's heads and units, between those of measured uniform networks."""
        dims, multiple = context.blueprint.dims, context.settings.unit_multiple
        layers = dims.num_layers
        heads = _counts(dims.num_heads, 1)
        units = _counts(dims.num_units, multiple)

        def latency(number: int, width: int) -> float:
            return self.measure(context, Architecture.uniform(dims, range(layers), number, width))

        of_heads = [latency(count, units[0]) for count in heads]
        of_units = [latency(heads[0], count) for count in units]
        head_slope = max(0.0, (of_heads[-1] - of_heads[0]) / (heads[-1] - heads[0] or 1))
        unit_slope = max(0.0, (of_units[-1] - of_units[0]) / (units[-1] - units[0] or 1))
        # The first head and the first group cost as much as the others do on average; the rest is fixed.
        fixed = max(0.0, of_heads[0] - head_slope * heads[0] - unit_slope * units[0])
        return interpolated_costs(
            context.full,
            [
                (n, (ms - of_heads[0] + head_slope * heads[0]) / layers)
                for n, ms in zip(heads, of_heads, strict=True)
            ],
            [
                (n, (ms - of_units[0] + unit_slope * units[0]) / layers)
                for n, ms in zip(units, of_units, strict=True)
            ],
            fixed,
        )

    def measure(self, context: MethodContext, architecture: Architecture) -> float:
        return context.evaluator.meter.measure(Candidate(architecture)).median_ms

    def least(self, context: MethodContext) -> Architecture:
        dims = context.blueprint.dims
        return Architecture.uniform(dims, range(dims.num_layers), 1, context.settings.unit_multiple)


def _counts(total: int, multiple: int) -> list[int]:
    """At most MEASURED multiples of `multiple` from the least to `total`, evenly spaced."""
    steps = np.linspace(1, total // multiple, MEASURED)
    return sorted({round(float(step)) * multiple for step in steps})


METHODS: dict[str, Method] = {
    "retraining-free": RetrainingFree(),
    "retraining-free-latency": UnderLatency(),
}
