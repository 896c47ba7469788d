"""The strategy and the recipes that a search's settings mean."""

from __future__ import annotations

from compresskit.pipeline.settings import (
    HIGHEST_LEARNING_RATE,
    LABEL_LEARNING_RATE,
    RATES_WIDTH,
    TAUGHT_LEARNING_RATE,
    SearchSettings,
)
from compresskit.spaces import Space
from compresskit.training.losses import Distillation
from compresskit.training.recipe import Recipe
from compresskit.training.sampling import Draw, mostly_small, steady
from compresskit.training.strategies import FrozenTeacher, Strategy, make_strategy


def strategy_for(settings: SearchSettings, space: Space) -> Strategy:
    """How the super-network of a search is trained. Raises ConfigurationError for an unknown name.

    The strategies of Klein et al. 2024 draw sizes evenly, as the paper does. The teacher's strategy draws
    mostly small networks: they need the practice, and each costs less (docs/choosing.md).
    """
    draw: Draw = space.sample_architecture
    if settings.strategy == FrozenTeacher.name:
        draw = mostly_small(draw, space.relative_size)
    return make_strategy(settings.strategy, space.full, space.smallest, steady(draw), settings.num_random)


def shared_recipe(settings: SearchSettings, rows: int, hidden_size: int) -> Recipe:
    """How a super-network of this hidden size is trained on `rows` rows."""
    taught = settings.strategy == FrozenTeacher.name
    rate = TAUGHT_LEARNING_RATE if taught else LABEL_LEARNING_RATE
    return recipe_for(settings, settings.epochs_for(rows), rate, hidden_size)


def recipe_for(
    settings: SearchSettings,
    epochs: float,
    learning_rate: float,
    hidden_size: int,
    distillation: Distillation | None = None,
) -> Recipe:
    """How a stage is trained; a learning rate of the settings goes before `rate_for(learning_rate)`."""
    return Recipe(
        epochs=epochs,
        learning_rate=settings.learning_rate or rate_for(learning_rate, hidden_size),
        batch_size=settings.batch_size,
        temperature=settings.temperature,
        seed=settings.seed,
        distillation=distillation or Distillation(),
    )


def rate_for(learning_rate: float, hidden_size: int) -> float:
    """The rate for a model of this hidden size, where `learning_rate` is good at RATES_WIDTH.

    Adam's best rate falls in inverse proportion to the width (Yang et al. 2022, arXiv 2203.03466, table 3).
    """
    return min(learning_rate * RATES_WIDTH / hidden_size, max(learning_rate, HIGHEST_LEARNING_RATE))
