from __future__ import annotations

from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.strategy import recipe_for
from compresskit.training.losses import Distillation
from compresskit.training.trainer import Recipe


def test_a_recipe_is_what_the_settings_say() -> None:
    settings = SearchSettings("m", "d", "p", batch_size=8, temperature=3.0, seed=5)
    assert recipe_for(settings, 1.5, 2e-5) == Recipe(1.5, 2e-5, batch_size=8, temperature=3.0, seed=5)
    taught = Distillation(hidden=0.0)
    assert recipe_for(settings, 1.5, 2e-5, taught).distillation == taught


def test_a_learning_rate_of_the_settings_goes_first() -> None:
    settings = SearchSettings("m", "d", "p", learning_rate=1e-3)
    assert recipe_for(settings, 1.0, 2e-5).learning_rate == 1e-3
