"""The strategy that a search's settings mean."""

from __future__ import annotations

from compresskit.pipeline.settings import SearchSettings
from compresskit.spaces import Space
from compresskit.training.sampling import progressive, steady
from compresskit.training.strategies import Strategy, make_strategy


def strategy_for(settings: SearchSettings, space: Space) -> Strategy:
    """How the super-network of a search is trained. Raises ConfigurationError for an unknown name."""
    draw = space.sample_architecture
    sample = progressive(draw, space.relative_size) if settings.shrinking else steady(draw)
    return make_strategy(settings.strategy, space.full, space.smallest, sample, settings.num_random)
