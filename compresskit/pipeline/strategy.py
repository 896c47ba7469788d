"""The strategy and the recipes that a search's settings mean."""

from __future__ import annotations

from compresskit.pipeline.settings import SearchSettings
from compresskit.spaces import Space
from compresskit.training.losses import Distillation
from compresskit.training.sampling import progressive, steady
from compresskit.training.strategies import Strategy, make_strategy
from compresskit.training.trainer import Recipe


def strategy_for(settings: SearchSettings, space: Space) -> Strategy:
    """How the super-network of a search is trained. Raises ConfigurationError for an unknown name."""
    draw = space.sample_architecture
    sample = progressive(draw, space.relative_size) if settings.shrinking else steady(draw)
    return make_strategy(settings.strategy, space.full, space.smallest, sample, settings.num_random)


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
