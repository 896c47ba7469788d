from __future__ import annotations

from itertools import pairwise

import pytest

from compresskit.errors import ConfigurationError
from compresskit.methods import LADDERS, METHODS, NAS, default_trials, make_method
from compresskit.methods.base import Method
from compresskit.methods.budget import epochs_for, full_step_budget, ladder
from compresskit.pipeline.settings import SearchSettings
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


def test_a_ladder_goes_down_in_equal_ratios_and_ends_where_a_method_does() -> None:
    shares = ladder(8)
    ratios = [after / before for before, after in pairwise(shares)]
    assert (shares[0], shares[-1]) == pytest.approx((0.85, 1 / 28))
    assert ratios == pytest.approx([ratios[0]] * 7)
    assert ladder(4, least=0.2)[-1] == pytest.approx(0.2)
    assert 1 / 28 < ladder(1)[0] < 0.85


def test_settings_know_the_trials_of_a_method() -> None:
    assert settings().trials == 60
    assert settings(method="fisher").trials == 8
    assert settings(method="fisher", trials=3).trials == 3
    assert settings(budget_seconds=60.0).trials is None


def test_what_a_method_cannot_do_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'pruning' is not known; permitted: .*layer-drop.*nas"):
        settings(method="pruning")
    with pytest.raises(ConfigurationError, match="--trials, not --budget"):
        settings(method="fisher", budget_seconds=60.0)
    with pytest.raises(ConfigurationError, match="fp32 points, not fp32, int8"):
        settings(method="fisher", precisions=("fp32", "int8"))


@pytest.mark.parametrize("name", [name for name in METHODS if name != NAS])
def test_every_method_can_be_made(name: str) -> None:
    assert isinstance(make_method(name), Method)
    assert default_trials(name) == (8 if name in LADDERS else 60)
