"""A point on its way to an engine: trained a little more, and what its blocks hold."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from onnx import ModelProto
from torch import nn

from compresskit.architecture import Candidate
from compresskit.engine.block import stored_blocks
from compresskit.families import Blueprint
from compresskit.pipeline.settings import POINT_LEARNING_RATE, SearchSettings
from compresskit.pipeline.training.strategy import recipe_for
from compresskit.pruning.block.pruned import HoldAtZero, masks_of
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.surgery import blueprint_of
from compresskit.training.stages import Stage, train_supernet
from compresskit.training.strategies import Point


def fine_tune_point(
    shared: nn.Module,
    dense: nn.Module,
    candidate: Candidate,
    stage: Stage,
    settings: SearchSettings,
    epochs: float,
) -> None:
    """Train the slices of `shared` that the candidate uses, in place; the dense model teaches.

    What its blocks leave out stays zero.
    """
    architecture = candidate.architecture
    held: list[HoldAtZero] = []
    if candidate.blocks is not None:
        held = [HoldAtZero(shared, masks_of(candidate.blocks, architecture, blueprint_of(shared)))]
    recipe = recipe_for(settings, epochs, POINT_LEARNING_RATE, blueprint_of(dense).dims.hidden_size)
    train_supernet(
        SuperNetwork(shared),
        stage,
        replace(recipe, learning_rate=recipe.learning_rate / 2),  # its weights have learnt already
        lambda full: Point.of(full, architecture),
        watch=architecture,
        name="point",
        teacher=dense,
        callbacks=held,
    )


def block_facts(candidate: Candidate, blueprint: Blueprint, graph: ModelProto) -> dict[str, Any]:
    """Block structure for the manifest: `rate` is that of the same matrices in the dense model."""
    plan = candidate.blocks
    if plan is None:
        return {}
    cuts = blueprint.plan(candidate.architecture).cuts
    dense = sum(prod(blueprint.shapes[cuts[f"{name}.weight"].source]) for name, _ in plan.items())
    stored = stored_blocks(graph, plan)
    return {
        "matrices": plan.to_json(),
        "rate": dense / plan.num_params,
        "dense_params": dense,
        "num_params": stored.num_params,
        "index_bytes": stored.index_bytes,
    }
