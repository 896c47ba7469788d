from __future__ import annotations

import pytest

from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.budget import epochs_for, full_step_budget
from compresskit.pipeline.training.strategy import strategy_for
from compresskit.spaces import make_space
from compresskit.supernet.network import SuperNetwork
from compresskit.training.cost import mean_step_cost
from compresskit.training.recipe import Recipe
from compresskit.training.strategies import Point
from tests.training.make import make_model


def settings(**changes: object) -> SearchSettings:
    return SearchSettings.from_json(
        {"model": "m", "dataset": "d", "profile": "p", "unit_multiple": 4, **changes}
    )


def test_a_rival_may_spend_what_nas_spends_by_default() -> None:
    blueprint = SuperNetwork(make_model()).blueprint
    space = make_space("ranked", blueprint.dims, unit_multiple=4)
    default = 100 * mean_step_cost(strategy_for(settings(), space), blueprint)
    for changes in ({}, {"method": "fisher"}, {"strategy": "standard", "space": "large", "num_random": 4}):
        assert full_step_budget(settings(**changes), blueprint, 100) == pytest.approx(default)
    assert 1.0 < default / 100 < 2.0


@pytest.mark.parametrize("heads", [1, 4])
def test_epochs_buy_the_full_steps_whatever_a_step_costs(heads: int) -> None:
    supernet = SuperNetwork(make_model())
    kept = supernet.full.uniform(supernet.blueprint.dims, [0, 2], heads, 6 * heads)
    strategy = Point.of(supernet.full, kept)
    epochs = epochs_for(500.0, strategy, supernet.blueprint, rows=70, batch_size=16)
    steps = Recipe(epochs, 1e-3, batch_size=16).steps(70)
    assert steps * mean_step_cost(strategy, supernet.blueprint) == pytest.approx(500.0, rel=2e-3)
