"""Networks of fewer layers, each depth trained alone: layer dropping and the distilled student."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.errors import ConfigurationError
from compresskit.families import Blueprint
from compresskit.methods.base import Made, Method, MethodContext, point_stage
from compresskit.pipeline.settings import SearchSettings
from compresskit.pruning.rivals.layer_drop import ALTERNATING, BOTTOM, TOP, layer_drop
from compresskit.runs.records import TrialRecord
from compresskit.spaces import kept_layers
from compresskit.training.losses import Distillation
from compresskit.training.strategies import Alone

# Weights of soft labels, cosine of the last hidden states, and hard labels: those of the code of Sanh et al.
SANH = Distillation(labels=2.0, logits=5.0, hidden=0.0, cosine=1.0)

Keep = Callable[[Dimensions, int], Architecture]


class LayerDrop(Method):
    """Drop layers of the dense model, then fine-tune on the labels (Sajjad et al., arXiv 2004.03844)."""

    def __init__(self, keep: Keep) -> None:
        self.keep = keep

    def check(self, settings: SearchSettings, blueprint: Blueprint) -> None:
        assert settings.trials is not None
        depths_of(blueprint.dims.num_layers, settings.trials)

    def explore(self, context: MethodContext) -> list[TrialRecord]:
        dims = context.blueprint.dims
        assert context.settings.trials is not None
        depths = depths_of(dims.num_layers, context.settings.trials)
        share = context.full_steps / len(depths)
        return context.sizes(
            [
                ({"depth": depth}, partial(self.make, context, trial_id, self.keep(dims, depth), share))
                for trial_id, depth in enumerate(depths)
            ]
        )

    def make(self, context: MethodContext, trial_id: int, kept: Architecture, share: float) -> Made:
        model = context.fresh()
        context.train(
            model,
            kept,
            point_stage(trial_id),
            share,
            strategy=lambda full: Alone.of(full, kept),
        )
        return Candidate(kept), model


class Student(LayerDrop):
    """Layers spread over the dense model's depth, distilled from it (Sanh et al., arXiv 1910.01108).

    On the task alone: the pre-training that DistilBERT had before needs texts that a task lacks.
    """

    def make(self, context: MethodContext, trial_id: int, kept: Architecture, share: float) -> Made:
        model = context.fresh()
        context.train(model, kept, point_stage(trial_id), share, distillation=SANH)
        return Candidate(kept), model


def depths_of(num_layers: int, count: int) -> list[int]:
    """At most `count` depths below `num_layers`, the deepest first, evenly spaced in their logarithm.

    ConfigurationError for a model of one layer.
    """
    if num_layers < 2:
        raise ConfigurationError("a model of one layer cannot lose any; take another --method.")
    if count >= num_layers - 1:
        return list(range(num_layers - 1, 0, -1))
    if count == 1:
        return [round((num_layers - 1) ** 0.5)]
    return sorted({round(float(d)) for d in np.geomspace(num_layers - 1, 1, count)}, reverse=True)


def _spread(dims: Dimensions, depth: int) -> Architecture:
    return Architecture.uniform(dims, kept_layers(dims.num_layers, depth), dims.num_heads, dims.num_units)


METHODS: dict[str, Method] = {
    "layer-drop": LayerDrop(partial(layer_drop, policy=ALTERNATING)),
    "layer-drop-top": LayerDrop(partial(layer_drop, policy=TOP)),
    "layer-drop-bottom": LayerDrop(partial(layer_drop, policy=BOTTOM)),
    "student": Student(_spread),
}
