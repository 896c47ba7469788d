from __future__ import annotations

import json

import pytest

from compresskit.blocks import INPUTS, OUTPUTS, Partition
from compresskit.searchers.block_space import RATES, BlockConfig, BlockSpace, furthest_before

SPACE = BlockSpace(
    {
        "up": (Partition(INPUTS, 2), Partition(INPUTS, 4)),
        "down": (Partition(OUTPUTS, 2),),
        "qkv": (),
    }
)


def cost(config: BlockConfig) -> tuple[float, float]:
    """The harder it is pruned, the faster and the worse."""
    work = sum(1 / config[group]["rate"] if group in config else 1.0 for group in ("up", "down"))
    return 2 - work, work


def test_the_first_proposals_prune_all_groups_alike() -> None:
    told: list[tuple[BlockConfig, tuple[float, float] | None]] = []
    for _ in RATES:
        config = SPACE.propose(told, seed=0)
        assert config is not None
        told.append((config, cost(config)))
    assert {entry["rate"] for config, _ in told for entry in config.values()} == set(RATES)
    for config, _ in told:
        assert set(config) == {"up", "down"}
        assert len({entry["rate"] for entry in config.values()}) == 1
        assert config["up"]["num_blocks"] == 2


def test_every_configuration_is_proposed_once() -> None:
    told: list[tuple[BlockConfig, tuple[float, float] | None]] = []
    while (config := SPACE.propose(told, seed=1)) is not None:
        told.append((config, cost(config)))
    keys = [json.dumps(config, sort_keys=True) for config, _ in told]
    assert len(set(keys)) == len(keys)
    # each group dense, or one of its partitions at one of the rates; not both dense
    assert len(keys) == (1 + 2 * len(RATES)) * (1 + len(RATES)) - 1


def test_proposals_depend_on_seed_and_history_alone() -> None:
    history = [(config, cost(config)) for config in SPACE.ladder()]
    assert SPACE.propose(history, seed=3) == SPACE.propose(list(history), seed=3)
    assert len({json.dumps(SPACE.propose(history, seed=seed), sort_keys=True) for seed in range(20)}) > 1


def test_a_neighbour_differs_in_one_group_by_one_step() -> None:
    config = SPACE.ladder()[0]
    for neighbour in SPACE.neighbours(config):
        assert sum(neighbour.get(group) != config.get(group) for group in ("up", "down")) == 1


def test_failed_configurations_are_not_proposed_again_nor_followed() -> None:
    told: list[tuple[BlockConfig, tuple[float, float] | None]] = [(c, None) for c in SPACE.ladder()]
    assert SPACE.propose(told, seed=0) is None


@pytest.mark.parametrize("seed", [0, 1])
def test_without_a_group_that_gains_nothing_is_proposed(seed: int) -> None:
    assert BlockSpace({"up": (), "down": ()}).propose([], seed) is None


def test_what_a_configuration_goes_on_from() -> None:
    two, three, five, *_ = SPACE.ladder()
    up_alone = {"up": two["up"]}
    other_cut = {**two, "up": {**two["up"], "num_blocks": 4}}
    assert furthest_before(five, {0: {}, 1: two, 2: three}) == 2
    assert furthest_before(three, {0: {}, 1: up_alone, 2: two, 3: five}) == 2
    assert furthest_before(two, {0: {}, 1: three}) is None
    assert furthest_before(up_alone, {1: two}) is None
    assert furthest_before(three, {1: other_cut}) is None
