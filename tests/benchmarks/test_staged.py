from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from benchmarks.recipe.staged import (
    Part,
    StagedSpace,
    bounds,
    part_for,
    scored_anew,
    train_in_stages,
    within,
)
from compresskit.architecture import Architecture
from compresskit.spaces import RankedSpace, Space, make_space
from compresskit.spaces.ranking import Ranking
from compresskit.supernet.network import SuperNetwork
from compresskit.tasks.collation import collate
from compresskit.training.sampling import LEAST
from compresskit.training.stages import sample_batches
from tests.contracts.strategy import DIMS
from tests.training.make import PAD, make_model, make_split


def size(architecture: Architecture) -> float:
    return architecture.shapes[0][1] / 16


def draw(generator: np.random.Generator) -> Architecture:
    return Architecture.uniform(DIMS, range(3), 1, int(generator.integers(1, 17)))


@pytest.mark.parametrize("stages", [1, 2, 4])
def test_ranges_lie_side_by_side(stages: int) -> None:
    found = bounds(stages)
    assert len(found) == stages + 1
    assert found[0] == 1
    assert found[-1] == pytest.approx(LEAST)
    assert found == sorted(found, reverse=True)
    ratios = [high / low for high, low in pairwise(found[1:])]
    assert ratios == pytest.approx(ratios[:1] * len(ratios))


def test_within_draws_from_the_range_alone() -> None:
    rng = np.random.default_rng(0)
    drawn = {size(within(draw, size, 1 / 4, 1 / 2)(rng)) for _ in range(200)}
    assert drawn == {units / 16 for units in range(4, 9)}


def test_within_takes_the_nearest_where_nothing_is_in_the_range() -> None:
    rng = np.random.default_rng(0)
    assert size(within(draw, size, 0.51, 0.52)(rng)) == 1 / 2


def test_each_stage_goes_on_from_the_last_and_leaves_it_as_it_was() -> None:
    begun = SuperNetwork(make_model())
    first = next(iter(begun.parameters())).detach().clone()
    space = make_space("ranked", begun.blueprint.dims)
    asked: list[tuple[float, float]] = []

    def train(network: SuperNetwork, space: Space, least: float, most: float) -> None:
        asked.append((most, least))
        with torch.no_grad():
            next(iter(network.parameters())).add_(1.0)

    parts = train_in_stages(begun, space, 2, train, lambda model, space, most: space)
    assert asked == list(pairwise(bounds(2)))
    for number, network in enumerate([begun, *(part.network for part in parts)]):
        torch.testing.assert_close(next(iter(network.parameters())).detach(), first + number)
    assert [part_for(parts, size) for size in (1.0, 0.45, 0.44, 0.001)] == [*parts[:1] * 2, *parts[1:] * 2]


def test_a_new_order_keeps_the_function_and_serves_its_own_range() -> None:
    model = make_model()
    supernet = SuperNetwork(model)
    space = make_space("ranked", supernet.blueprint.dims)
    split = make_split(32, 0)
    inputs = collate(split.encoded[:4], PAD)
    before = model.eval()(**inputs).logits
    renewed, cost = scored_anew(model, space, 0.5, sample_batches(split, PAD, 16, 0))
    torch.testing.assert_close(model(**inputs).logits, before)
    assert 0 < cost < 2
    assert isinstance(space, RankedSpace)
    assert isinstance(renewed, RankedSpace)
    other = replace_order(space)
    staged = StagedSpace([Part(0.5, supernet, space), Part(0.1, supernet, other)])
    large, small = (staged.canonical({"heads": n, "units": 6 * n}) for n in (14, 2))
    assert staged.decode(large) == space.decode(large) != other.decode(large)
    assert staged.decode(small) == other.decode(small) != space.decode(small)


def replace_order(space: RankedSpace) -> RankedSpace:
    """The same space with layers in the opposite order."""
    backwards = Ranking(space.ranking.heads[::-1], space.ranking.units[::-1])
    return RankedSpace(space.dims, unit_multiple=space.unit_multiple, ranking=backwards)
