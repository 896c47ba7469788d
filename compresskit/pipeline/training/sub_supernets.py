"""A super-network in parts, trained one after another."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from torch import nn

from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.importance import read_scores, save_scores
from compresskit.pipeline.store.shared_weights import order_folder, part_folder, write_ends
from compresskit.pipeline.training.budget import epochs_for
from compresskit.pipeline.training.models import load_model, save_model
from compresskit.pipeline.training.ranks import is_first
from compresskit.pipeline.training.strategy import SUPERNET, strategy_for
from compresskit.pruning.rivals.scores import mask_gradients
from compresskit.spaces import PrecisionSpace, RankedSpace, Space
from compresskit.supernet.importance import Importance, reorder
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.sub_supernets import PartedNetwork, ranges, rate_share
from compresskit.supernet.surgery import blueprint_of
from compresskit.training.cost import mean_step_cost, step_cost
from compresskit.training.recipe import Recipe
from compresskit.training.stages import Stage, batch_loss, sample_batches, train_supernet
from compresskit.training.strategies import FROM_LABELS, Lesson

SCORED_ROWS = 512  # between parts
SCORED_SHARE = 0.1  # of what a part may spend, at most
WIDER = 1.2  # what is scored is so much larger than the largest of a part


@dataclass(frozen=True)
class PartsTraining:
    """Trains a super-network in parts, each on a copy of what the last left; it costs what one would.

    Heads and units are in the dense model's order in the largest part, and in each other one in that of their
    Fisher information as it begins, where the space has one order of all. What a part has learnt is in
    `folder` before the next begins. `stored` is told the name of each training whose model is, `spend` what
    an order has cost, in full steps.
    """

    folder: Path
    settings: SearchSettings
    stage: Stage
    recipe: Recipe
    stored: Callable[[str], None]
    spend: Callable[[str, float], None]

    def run(self, dense: nn.Module, space: Space, parts: int) -> PartedNetwork:
        """`dense` teaches and stays as it is."""
        share = self.full_steps(dense, space) / parts
        models: list[nn.Module] = []
        for place, sizes in enumerate(ranges(parts)):
            model = copy.deepcopy(models[-1] if models else dense)
            spent = 0.0
            if place and isinstance(_inner(space), RankedSpace):
                space, spent = self.order_again(model, space, sizes[1], place, share)
                self.spend(f"order-{place + 1}", spent)
            done = part_folder(self.folder, place)
            if done.exists():
                model = load_model(done).to(next(dense.parameters()).device)
            else:
                self.train(model, dense, space, sizes, place, share - spent)
                save_model(model, done)
                self.stored(part_name(place))
            models.append(model)
        return self.whole(models, [least for least, _ in ranges(parts)])

    def whole(self, models: Sequence[nn.Module], least: Sequence[float]) -> PartedNetwork:
        """All parts, and in their folder where each ends."""
        if is_first():
            write_ends(self.folder, least)
        return PartedNetwork(models, least)

    def full_steps(self, model: nn.Module, space: Space) -> float:
        """What the recipe costs where all sizes are trained in one: the parts share it."""
        steps = self.recipe.steps(len(self.stage.task.train))
        return steps * mean_step_cost(strategy_for(self.settings, space), blueprint_of(model))

    def train(
        self,
        model: nn.Module,
        teacher: nn.Module,
        space: Space,
        sizes: tuple[float, float],
        place: int,
        full_steps: float,
    ) -> None:
        strategy = strategy_for(self.settings, space, sizes)
        rows = len(self.stage.task.train)
        network = SuperNetwork(model)
        recipe = replace(
            self.recipe,
            epochs=epochs_for(full_steps, strategy, network.blueprint, rows, self.settings.batch_size),
            learning_rate=self.recipe.learning_rate * rate_share(sizes[1]),
            seed=self.recipe.seed + place,  # other rows first, where a part does not see all
        )
        train_supernet(
            network,
            self.stage,
            recipe,
            lambda _: strategy,
            watch=strategy.sample(np.random.default_rng(0), 0.0),
            name=part_name(place),
            teacher=copy.deepcopy(teacher),
        )

    def order_again(
        self, model: nn.Module, space: Space, most: float, place: int, full_steps: float
    ) -> tuple[Space, float]:
        """`model` in the order of its members' Fisher information now; the space so shaped, and the cost."""
        ranked = _inner(space)
        top = ranked.decode(
            ranked.canonical(
                {p.name: p.value(min(round(WIDER * most * p.count), p.count - 1)) for p in ranked.parameters}
            )
        )
        device = next(model.parameters()).device
        blueprint, batch = blueprint_of(model), self.settings.batch_size
        a_batch = step_cost(blueprint, [Lesson(top, FROM_LABELS)])
        batches = max(1, min(SCORED_ROWS // batch, int(SCORED_SHARE * full_steps / a_batch)))
        scores = read_scores(order_folder(self.folder, place))
        if scores is None:
            task = self.stage.task
            sample = sample_batches(task, batch, self.settings.seed, batches * batch, device)
            scores = mask_gradients(model, top, sample, batch_loss(task.kind)).fisher()
            save_scores(order_folder(self.folder, place), scores)
        reorder(model, blueprint, Importance(scores.heads.to(device), scores.units.to(device)))
        ordered = scores.sorted()
        return space.with_scores(ordered.heads.numpy(), ordered.units.numpy()), batches * a_batch


def _inner(space: Space) -> Space:
    return space.inner if isinstance(space, PrecisionSpace) else space


def part_name(place: int) -> str:
    """The training of a part."""
    return f"{SUPERNET}-{place + 1}"
