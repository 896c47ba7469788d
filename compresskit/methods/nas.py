"""Weight sharing: one super-network is trained, then its sub-networks are searched."""

from __future__ import annotations

from torch import nn

from compresskit.methods.base import Method, MethodContext
from compresskit.methods.names import NAS
from compresskit.methods.space_search import search_space
from compresskit.pipeline.evaluation.trial_lines import aim_line
from compresskit.pipeline.inputs import searcher_for
from compresskit.pipeline.training.networks import Networks
from compresskit.runs.records import TrialRecord
from compresskit.searchers.loop import Budget
from compresskit.supernet.network import SuperNetwork


class Nas(Method):
    """Candidates are slices of the shared weights, and none is trained on its own."""

    def network(self, networks: Networks, dense: nn.Module) -> SuperNetwork:
        return networks.shared(dense)

    def explore(self, context: MethodContext) -> list[TrialRecord]:
        settings = context.settings
        context.display(aim_line(settings))
        return search_space(
            context,
            searcher_for(settings, context.space, context.inputs.objectives),
            context.evaluator,
            budget=Budget(trials=settings.trials, seconds=settings.budget_seconds),
            on_trial=context.run.append_trial,
        )


METHODS: dict[str, Method] = {NAS: Nas()}
