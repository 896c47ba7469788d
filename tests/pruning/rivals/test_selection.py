"""Selections against all subsets, one by one."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from compresskit.architecture import Architecture, Dimensions, Layer
from compresskit.errors import ConfigurationError
from compresskit.kept import Kept
from compresskit.pruning.rivals.costs import Costs
from compresskit.pruning.rivals.selection import least_cost, select, select_evenly
from compresskit.pruning.rivals.uniform import uniform
from compresskit.supernet.importance import Importance

DIMS = Dimensions(num_layers=2, num_heads=2, head_size=8, num_units=4, hidden_size=16)
FULL = Architecture.full(DIMS)
COSTS = Costs(np.arange(3) * 3.0, np.arange(5) * 1.0, 2.0)  # dense: 2 + 2 * (6 + 4) = 22


def scores(seed: int) -> Importance:
    generator = torch.Generator().manual_seed(seed)
    return Importance(torch.rand(2, 2, generator=generator) * 2, torch.rand(2, 4, generator=generator))


def value(architecture: Architecture, importance: Importance) -> float:
    return sum(
        float(table[number, list(kept.indices)].sum())
        for number, layer in enumerate(architecture.layers)
        for table, kept in ((importance.heads, layer.heads), (importance.units, layer.units))
    )


def best_of_all(importance: Importance, limit: float) -> float:
    """Over every subset of heads and units."""
    found = 0.0
    for masks in product(range(4), range(4), range(16), range(16)):
        if not any(masks):
            continue
        kept = Architecture(tuple(Layer(Kept(2, masks[i]), Kept(4, masks[2 + i])) for i in range(2)))
        if COSTS.of(kept) <= limit:
            found = max(found, value(kept, importance))
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("limit", [3.0, 7.0, 11.5, 16.0, 22.0])
def test_no_subset_within_the_budget_keeps_more(seed: int, limit: float) -> None:
    importance = scores(seed)
    chosen = select(importance, FULL, COSTS, limit)
    assert COSTS.of(chosen) <= limit
    assert value(chosen, importance) == pytest.approx(best_of_all(importance, limit))


@pytest.mark.parametrize("choose", [select, select_evenly])
@pytest.mark.parametrize("least", [0, 1])
def test_budgets_far_below_a_third_are_kept(choose: Any, least: int) -> None:
    """Heads alone cost a third of all: with most of them, less than nothing is left for units."""
    dims = Dimensions(num_layers=3, num_heads=6, head_size=8, num_units=24, hidden_size=16)
    full, costs = Architecture.full(dims), Costs(np.arange(7) * 4.0, np.arange(25) * 2.0, 0.0)
    generator = torch.Generator().manual_seed(0)
    smallest = least_cost(full, costs, 4)
    for limit in np.linspace(smallest, costs.of(full), 40):
        importance = Importance(
            torch.rand(3, 6, generator=generator) * 50, torch.rand(3, 24, generator=generator)
        )
        chosen = choose(importance, full, costs, float(limit), multiple=4, least=least)
        assert 0 < costs.of(chosen) <= limit * (1 + 1e-9)
        if least:
            assert len(chosen.shapes) == 3
            assert all(heads >= 1 and units >= 4 for heads, units in chosen.shapes)
    assert smallest == 36 < costs.of(full) / 3


def test_units_go_in_groups_of_the_best() -> None:
    importance = Importance(torch.full((2, 2), 10.0), torch.tensor([[4.0, 1, 3, 2], [0.1, 8, 0.2, 7]]))
    chosen = select(importance, FULL, COSTS, 2 + 12 + 4, multiple=2)
    assert [layer.units.indices for layer in chosen.layers] == [(0, 2), (1, 3)]


def test_a_layers_cost_may_rise_by_steps() -> None:
    costs = Costs(np.array([0.0, 5.0, 5.5]), np.arange(5) * 1.0, 0.0)
    importance = Importance(torch.tensor([[3.0, 2.9], [2.95, 0.1]]), torch.full((2, 4), 0.01))
    for limit in (5.0, 5.5, 10.0, 10.5, 11.0):
        assert costs.of(select(importance, FULL, costs, limit)) <= limit


def test_only_what_is_left_can_be_chosen() -> None:
    within = Architecture(
        (Layer(Kept.of(2, [1]), Kept.of(4, [0, 3])), Layer(Kept(2, 0), Kept.of(4, [2]))),
    )
    for limit in (3.5, 5.0, 8.0):
        for chosen in (
            select(scores(0), within, COSTS, limit),
            select_evenly(scores(0), within, COSTS, limit),
        ):
            assert COSTS.of(chosen) <= limit
            for wide, narrow in zip(within.layers, chosen.layers, strict=True):
                assert narrow.heads.mask & ~wide.heads.mask == 0
                assert narrow.units.mask & ~wide.units.mask == 0


def test_evenly_means_the_same_share_of_both_and_the_best_of_each() -> None:
    importance = Importance(torch.tensor([[100.0, 400], [300, 200]]), torch.arange(8.0).view(2, 4))
    chosen = select_evenly(importance, FULL, COSTS, 2 + 6 + 4)
    assert [layer.heads.indices for layer in chosen.layers] == [(1,), (0,)]
    assert [layer.units.indices for layer in chosen.layers] == [(), (0, 1, 2, 3)]
    assert COSTS.of(select_evenly(importance, FULL, COSTS, 22.0)) == 22


@pytest.mark.parametrize("choose", [select, select_evenly])
def test_a_budget_for_nothing_is_refused(choose: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"budget of 2\.5 .* permitted: 3 or more"):
        choose(scores(0), FULL, COSTS, 2.5)
    with pytest.raises(ConfigurationError, match="permitted: 10 or more"):
        choose(scores(0), FULL, COSTS, 9.5, least=1)


def test_uniform_is_as_wide_as_fits_and_balanced() -> None:
    assert uniform(DIMS, COSTS, 22.0).shapes == ((2, 4), (2, 4))
    assert uniform(DIMS, COSTS, 12.5).shapes == ((1, 2), (1, 2))
    assert uniform(DIMS, COSTS, 10.0).shapes == ((1, 1), (1, 1))
    with pytest.raises(ConfigurationError, match="permitted: 10 or more"):
        uniform(DIMS, COSTS, 9.9)


@pytest.mark.parametrize("choose", [select, select_evenly])
def test_units_that_cost_nothing_fit_a_budget_that_heads_use_up(choose: Any) -> None:
    # Sums of these round to a budget that is 4e-16 above what is to be spent.
    costs = Costs(np.arange(3) * 0.1, np.zeros(5), 0.7)
    limit = least_cost(FULL, costs, 4)
    assert choose(scores(0), FULL, costs, limit, multiple=4, least=1).kept_layers == (0, 1)
