"""The strategy and the recipes that a search's settings mean."""

from __future__ import annotations

from dataclasses import replace

from compresskit.pipeline.settings import (
    HIGHEST_LEARNING_RATE,
    LABEL_LEARNING_RATE,
    RATES_WIDTH,
    TAUGHT_LEARNING_RATE,
    SearchSettings,
)
from compresskit.spaces import Space
from compresskit.supernet.sub_supernets import PARTS
from compresskit.training.losses import Distillation
from compresskit.training.recipe import Recipe
from compresskit.training.sampling import Draw, log_uniform, mostly_small, steady, within
from compresskit.training.strategies import FrozenTeacher, Strategy, make_strategy

DENSE, SUPERNET = "dense", "supernet"  # trainings
OFTEN = 4.0  # epochs from which on parts are better


def strategy_for(
    settings: SearchSettings, space: Space, sizes: tuple[float, float] | None = None
) -> Strategy:
    """How the super-network of a search is trained, or its part for relative `sizes` from least to most.

    Raises ConfigurationError for an unknown name.

    The strategies of Klein et al. 2024 draw sizes evenly, as the paper does. The teacher's strategy draws
    mostly small networks: they need the practice, and each costs less (docs/recipe.md).
    """
    draw: Draw = space.sample_architecture
    if settings.strategy == FrozenTeacher.name and sizes is None:
        draw = mostly_small(draw, space.relative_size)
    if sizes is not None:
        draw = within(log_uniform(draw, space.relative_size), space.relative_size, *sizes)
    made = make_strategy(settings.strategy, space.full, space.smallest, steady(draw), settings.num_random)
    if isinstance(made, FrozenTeacher) and sizes is not None and sizes[1] < 1:
        return replace(made, full_every=0)
    return made


def parts_of(settings: SearchSettings, rows: int) -> int:
    """How many parts the super-network has: several where a teacher shows it its rows again and again.

    Until the rows are known well, all sizes learn the same from them, and to learn it together is better
    (docs/recipe.md).
    """
    if settings.parts is not None:
        return settings.parts
    often = settings.epochs_for(rows) >= OFTEN
    return PARTS if often and settings.strategy == FrozenTeacher.name else 1


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
