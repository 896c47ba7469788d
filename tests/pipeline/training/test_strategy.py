from __future__ import annotations

import numpy as np
import pytest

from compresskit.architecture import Dimensions
from compresskit.pipeline.settings import RATES_WIDTH, SearchSettings
from compresskit.pipeline.training.strategy import parts_of, rate_for, recipe_for, shared_recipe, strategy_for
from compresskit.spaces import make_space
from compresskit.supernet.sub_supernets import PARTS, ranges
from compresskit.training.losses import Distillation
from compresskit.training.recipe import Recipe
from compresskit.training.strategies import STRATEGIES


def test_a_recipe_is_what_the_settings_say() -> None:
    settings = SearchSettings("m", "d", "p", batch_size=8, temperature=3.0, seed=5)
    assert recipe_for(settings, 1.5, 2e-5, RATES_WIDTH) == Recipe(
        1.5, 2e-5, batch_size=8, temperature=3.0, seed=5
    )
    taught = Distillation(hidden=0.0)
    assert recipe_for(settings, 1.5, 2e-5, RATES_WIDTH, taught).distillation == taught


def test_a_learning_rate_of_the_settings_goes_first() -> None:
    settings = SearchSettings("m", "d", "p", learning_rate=1e-3)
    assert recipe_for(settings, 1.0, 2e-5, 768).learning_rate == 1e-3


@pytest.mark.parametrize("name", STRATEGIES)
def test_only_the_teachers_strategy_prefers_small_networks(name: str) -> None:
    dims = Dimensions(num_layers=6, num_heads=12, head_size=32, num_units=1536, hidden_size=384)
    space = make_space("small", dims)
    made = strategy_for(SearchSettings("m", "d", "p", strategy=name), space)
    sizes = [
        space.relative_size(lesson.architecture)
        for step in range(400)
        for lesson in made.lessons(step, 0.9, np.random.default_rng(step))
        if not lesson.is_full and lesson.architecture != space.smallest
    ]
    if not sizes:
        assert name == "standard"
        return
    # Evenly drawn sizes have their median at a half; evenly drawn logarithms far below.
    assert (np.median(sizes) < 0.35) == (name == "teacher")


def test_a_part_is_trained_on_networks_of_its_sizes_alone() -> None:
    dims = Dimensions(num_layers=6, num_heads=12, head_size=32, num_units=1536, hidden_size=384)
    space = make_space("ranked", dims, unit_multiple=32)
    settings = SearchSettings("m", "d", "p")
    for least, most in ranges(PARTS):
        made = strategy_for(settings, space, (least, most))
        lessons = [
            lesson for step in range(60) for lesson in made.lessons(step, 0.5, np.random.default_rng(step))
        ]
        sizes = [space.relative_size(lesson.architecture) for lesson in lessons if not lesson.is_full]
        assert least <= min(sizes) < max(sizes) <= most
        assert any(lesson.is_full for lesson in lessons) == (most == 1)


@pytest.mark.parametrize("name", STRATEGIES)
def test_only_where_a_teacher_teaches_there_are_parts(name: str) -> None:
    settings = SearchSettings("m", "d", "p", strategy=name)
    assert parts_of(settings, rows=2_000) == (PARTS if name == "teacher" else 1)


def test_parts_are_for_rows_that_are_seen_often() -> None:
    assert parts_of(SearchSettings("m", "d", "p"), rows=60_000) == 1
    assert parts_of(SearchSettings("m", "d", "p", epochs=3.0), rows=2_000) == 1
    assert parts_of(SearchSettings("m", "d", "p", epochs=8.0), rows=60_000) == PARTS
    assert parts_of(SearchSettings("m", "d", "p", parts=2), rows=60_000) == 2


def test_a_teacher_permits_a_higher_learning_rate() -> None:
    taught = shared_recipe(SearchSettings("m", "d", "p", epochs=3.0), rows=100, hidden_size=384)
    alone = shared_recipe(
        SearchSettings("m", "d", "p", epochs=3.0, strategy="sandwich"), rows=100, hidden_size=384
    )
    assert taught.epochs == alone.epochs == 3.0
    many = shared_recipe(SearchSettings("m", "d", "p", epochs=3.0), rows=50_000, hidden_size=384)
    assert taught.learning_rate == many.learning_rate > alone.learning_rate
    asked = SearchSettings("m", "d", "p", epochs=3.0, learning_rate=1e-3)
    assert shared_recipe(asked, rows=100, hidden_size=384).learning_rate == 1e-3


def test_wider_models_are_trained_at_lower_rates() -> None:
    settings = SearchSettings("m", "d", "p", epochs=1.0)
    rates = [shared_recipe(settings, 100, width).learning_rate for width in (384, 768, 1024)]
    assert rates == pytest.approx([4e-4, 2e-4, 1.5e-4])
    assert recipe_for(settings, 1.0, 1e-4, 768).learning_rate == pytest.approx(5e-5)
    assert rate_for(1e-4, 16) == 1e-3  # no higher, however small the model is
    assert rate_for(3e-3, 192) == 3e-3
