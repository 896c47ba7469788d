"""One cell of the ablation: train by a variant for a budget, then score architectures on validation."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from benchmarks.dense import ROWS, DenseModel
from benchmarks.recipe.averaging import WeightAverage
from benchmarks.recipe.depth_parts import SuperNetworkWithParts
from benchmarks.recipe.narrow import NarrowTeacher, best_places, narrowed
from benchmarks.recipe.ridge import Batches, refit
from benchmarks.recipe.scored import LEAST_SHARE, area_of, drawn, grid_of
from benchmarks.recipe.variants import Variant
from compresskit.architecture import Architecture
from compresskit.errors import ConfigurationError
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.importance import informed, save_scores
from compresskit.pipeline.store.shared_weights import informed_by_parts
from compresskit.pipeline.training.models import load_dense, load_model, open_checkpoint, save_model
from compresskit.pipeline.training.strategy import strategy_for
from compresskit.pipeline.training.sub_supernets import PartsTraining
from compresskit.spaces import Space, make_space
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.surgery import blueprint_of
from compresskit.training.cost import mean_step_cost
from compresskit.training.recipe import Recipe
from compresskit.training.stages import (
    Stage,
    batch_loss,
    order_by_importance,
    sample_batches,
    score,
    train_supernet,
)
from compresskit.training.strategies import Point

SPECIAL_RATE = 0.5  # of the variant's learning rate, for one network alone


class Cell:
    """One variant on one task and seed, trained for `budget` full-step equivalents of 32 rows each.

    `pool`: how many random architectures are scored beside the grid, for the area that the front
    dominates, and as many again of a third to half of the dense multiply-accumulates.
    """

    def __init__(
        self, variant: Variant, settings: SearchSettings, dense: DenseModel, budget: float, pool: int
    ) -> None:
        self.variant = variant
        self.settings = settings
        self.dense = dense
        self.budget = budget
        self.pool = pool
        begun = "-pretrained" if variant.from_pretrained else ""
        self.order = Path(dense.folder).with_name(f"ordered-{variant.importance}{begun}")

    def run(self, say: Callable[[str], None]) -> dict[str, Any]:
        """Train and score. Metrics are of validation rows: 0 is the prior, 1 the dense model's."""
        start = time.monotonic()
        variant, seed = self.variant, self.settings.seed
        checkpoint = open_checkpoint(self.settings.model if variant.from_pretrained else self.dense.folder)
        task = read_task(self.settings, checkpoint)
        model = load_dense(checkpoint, task, seed).model
        teacher = copy.deepcopy(model)
        with tempfile.TemporaryDirectory() as folder:
            stage = Stage(task, Path(folder))
            ordered = self.ordered(model, stage)
            if variant.hidden_width:
                teacher, ordered = self.narrow(ordered, stage)
            supernet = SuperNetworkWithParts(ordered, variant.own)
            space = make_space(
                variant.space, supernet.blueprint.dims, layer_policy=variant.layer_policy, unit_multiple=32
            )
            space = informed(space, self.order)
            grid = grid_of(space)
            rungs = list(grid.values())
            network: SuperNetwork = supernet
            if variant.parts > 1:
                network, space, recipe, full_steps = self.train_parts(ordered, stage, space)
                grid = grid_of(space)
            else:
                recipe, full_steps = self.train(supernet, stage, space, rungs, teacher, say)
            trained = time.monotonic() - start
            normalised = self.scorer(network, stage)
            if variant.specialised:
                share = self.budget * variant.specialised / len(grid)
                batches = sample_batches(task, ROWS, seed) if variant.ridge else []
                scores = {
                    name: normalised(kept, specialise(supernet, kept, stage, recipe, share, teacher, batches))
                    for name, kept in grid.items()
                }
                full_steps += self.budget * variant.specialised
            else:
                scores = {name: normalised(kept) for name, kept in grid.items()}
            known = {} if variant.space == "layer" else {grid[name]: scores[name] for name in grid}
            known |= {kept: normalised(kept) for kept in drawn(space, self.pool, seed, (LEAST_SHARE, 1.0))}
            middle = [normalised(kept) for kept in drawn(space, self.pool, seed, (1 / 3, 1 / 2))]
            return {
                "full_steps": full_steps + (0.0 if variant.from_pretrained else self.dense.full_steps),
                "steps": recipe.steps(len(task.train)),
                "seconds_training": trained,
                "seconds": time.monotonic() - start,
                "dense": self.dense.metric,
                "prior": self.dense.prior,
                "full": normalised(space.full),
                "grid": scores,
                "mean": float(np.mean(list(scores.values()))),
                "middle": middle,
                "area": area_of(supernet, known, variant.hidden_width),
            }

    def ordered(self, model: nn.Module, stage: Stage) -> nn.Module:
        """`model` in order of importance; variants that begin and order alike share it."""
        variant, folder = self.variant, self.order
        if (folder / "model").exists():
            return load_model(folder / "model")
        recipe = variant.recipe(1.0, self.settings.seed)
        save_scores(folder, order_by_importance(model, stage, recipe, variant.importance))
        save_model(model, folder / "model")
        return model

    def narrow(self, model: nn.Module, stage: Stage) -> tuple[nn.Module, nn.Module]:
        """A teacher and a network of the variant's hidden width."""
        batches = sample_batches(stage.task, ROWS, self.settings.seed)
        places = best_places(model, batches, batch_loss(stage.task.kind), self.variant.hidden_width)
        return NarrowTeacher(copy.deepcopy(model), places), narrowed(model, places)

    def train_parts(
        self, model: nn.Module, stage: Stage, space: Space
    ) -> tuple[SuperNetwork, Space, Recipe, float]:
        """The super-network in parts and its space; the recipe of it in one part, and the cost."""
        rows = len(stage.task.train)
        per_step = mean_step_cost(strategy_for(self.settings, space), blueprint_of(model))
        recipe = self.variant.recipe(self.budget / per_step / -(-rows // ROWS), self.settings.seed)
        folder = stage.folder / "model"
        training = PartsTraining(folder, self.settings, stage, recipe, lambda _: None, lambda *_: None)
        network = training.run(model, space, self.variant.parts)
        return network, informed_by_parts(space, folder), recipe, self.budget

    def train(
        self,
        supernet: SuperNetworkWithParts,
        stage: Stage,
        space: Space,
        rungs: Sequence[Architecture],
        teacher: nn.Module,
        say: Callable[[str], None],
    ) -> tuple[Recipe, float]:
        """Train the super-network; its recipe, and what it cost in full steps of 32 rows."""
        variant, rows = self.variant, len(stage.task.train)
        strategy = variant.make_strategy(space, rungs)
        per_step = (
            mean_step_cost(strategy, supernet.blueprint, self.settings.seed) * variant.batch_size / ROWS
        )
        budget = self.budget * (1 - variant.specialised)
        budget += self.dense.full_steps if variant.from_pretrained else 0.0
        recipe = variant.recipe(budget / per_step / -(-rows // variant.batch_size), self.settings.seed)
        say(f"{recipe.steps(rows)} steps of {per_step:.2f} full steps each")
        if variant.specialised == 1:
            return recipe, 0.0
        train_supernet(
            supernet,
            stage,
            recipe,
            lambda _: strategy,
            watch=space.middle,
            teacher=teacher,
            callbacks=[WeightAverage(supernet, variant.average)] if variant.average else [],
        )
        return recipe, recipe.steps(rows) * per_step

    def scorer(self, supernet: SuperNetwork, stage: Stage) -> Callable[..., float]:
        """Function of an architecture, and perhaps its own network, to its normalised metric.

        ConfigurationError where the dense model is no better than the prior: nothing is to be compared.
        """
        if self.dense.metric <= self.dense.prior:
            raise ConfigurationError(
                f"the dense model scores {self.dense.metric:.4f} on {stage.task.name}, its prior "
                f"{self.dense.prior:.4f}; give a larger budget."
            )

        def normalised(architecture: Architecture, network: SuperNetwork | None = None) -> float:
            metric = score(network or supernet, stage, stage.task.validation, architecture)
            return (metric - self.dense.prior) / (self.dense.metric - self.dense.prior)

        return normalised


def specialise(
    supernet: SuperNetworkWithParts,
    architecture: Architecture,
    stage: Stage,
    recipe: Recipe,
    full_steps: float,
    teacher: nn.Module,
    batches: Batches,
) -> SuperNetwork:
    """A copy of the super-network, `architecture` refitted on `batches` (none: not) and trained alone."""
    network = SuperNetwork(supernet.dense_for(architecture))
    if batches:
        refit(network, architecture, teacher, batches)
    strategy = Point.of(network.full, architecture)
    per_step = mean_step_cost(strategy, network.blueprint) * recipe.batch_size / ROWS
    alone = replace(
        recipe,
        epochs=full_steps / per_step / -(-len(stage.task.train) // recipe.batch_size),
        learning_rate=recipe.learning_rate * SPECIAL_RATE,
    )
    train_supernet(
        network, stage, alone, lambda _: strategy, watch=architecture, name="point", teacher=teacher
    )
    return network
