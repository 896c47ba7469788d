"""The strategy and the recipes that a search's settings mean."""

from __future__ import annotations

from compresskit.pipeline.settings import (
    LABEL_LEARNING_RATE,
    SMALL_DATA_ROWS,
    TAUGHT_LEARNING_RATE,
    TAUGHT_LEARNING_RATE_LARGE,
    SearchSettings,
)
from compresskit.spaces import Space
from compresskit.training.losses import Distillation
from compresskit.training.sampling import Draw, log_uniform, progressive, steady
from compresskit.training.strategies import FrozenTeacher, Strategy, make_strategy
from compresskit.training.trainer import Recipe


def strategy_for(settings: SearchSettings, space: Space) -> Strategy:
    """How the super-network of a search is trained. Raises ConfigurationError for an unknown name.

    The strategies of Klein et al. 2024 draw sizes evenly, as the paper does. The teacher's strategy draws
    their logarithms evenly: small networks need the practice, and each costs less.
    """
    draw: Draw = space.sample_architecture
    if settings.strategy == FrozenTeacher.name:
        draw = log_uniform(draw, space.relative_size)
    sample = progressive(draw, space.relative_size) if settings.shrinking else steady(draw)
    return make_strategy(settings.strategy, space.full, space.smallest, sample, settings.num_random)


def shared_recipe(settings: SearchSettings, rows: int) -> Recipe:
    """How the super-network is trained on `rows` rows."""
    rate = LABEL_LEARNING_RATE
    if settings.strategy == FrozenTeacher.name:
        rate = TAUGHT_LEARNING_RATE if rows < SMALL_DATA_ROWS else TAUGHT_LEARNING_RATE_LARGE
    return recipe_for(settings, settings.epochs_for(rows), rate)


def recipe_for(
    settings: SearchSettings,
    epochs: float,
    learning_rate: float,
    distillation: Distillation | None = None,
) -> Recipe:
    """How a stage is trained; a learning rate of the settings goes before `learning_rate`."""
    return Recipe(
        epochs=epochs,
        learning_rate=settings.learning_rate or learning_rate,
        batch_size=settings.batch_size,
        temperature=settings.temperature,
        seed=settings.seed,
        distillation=distillation or Distillation(),
    )
