from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from compresskit.architecture import Architecture
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.sub_supernets import LEAST, PARTS, PartedNetwork, place_of, ranges, rate_share
from tests.training.make import make_model

INPUTS = {"input_ids": torch.tensor([[1, 2, 3, 4], [4, 3, 2, 1]])}


@pytest.mark.parametrize("parts", [1, 2, PARTS])
def test_ranges_lie_side_by_side(parts: int) -> None:
    found = ranges(parts)
    assert len(found) == parts
    assert found[0][1] == 1
    assert found[-1][0] == pytest.approx(LEAST)
    assert all(larger[0] == smaller[1] for larger, smaller in pairwise(found))
    ratios = [most / least for least, most in found[1:]]
    assert ratios == pytest.approx(ratios[:1] * len(ratios))


def test_parts_of_large_networks_train_gently() -> None:
    shares = [rate_share(most) for _, most in ranges(PARTS)]
    assert shares[0] == pytest.approx(0.25)
    assert shares == sorted(shares)
    assert shares[0] < shares[1] < shares[2] == shares[-1] == 1


def test_a_size_belongs_to_the_part_whose_range_holds_it() -> None:
    least = [0.45, 0.2, 0.1]
    assert [place_of(size, least) for size in (1.0, 0.45, 0.44, 0.2, 0.15, 0.01)] == [0, 0, 1, 1, 2, 2]


def test_each_sub_network_is_a_slice_of_the_part_of_its_size() -> None:
    models = [make_model(seed=seed).eval() for seed in range(3)]
    network = PartedNetwork(models, [0.6, 0.3, 0.0]).eval()
    dims = network.blueprint.dims
    for heads, units in ((dims.num_heads, dims.num_units), (2, dims.num_units // 2), (1, 1)):
        architecture = Architecture.uniform(dims, range(dims.num_layers), heads, units)
        place = network.place_of(architecture)
        wanted = SuperNetwork(models[place]).eval()(architecture, **INPUTS).logits
        torch.testing.assert_close(network(architecture, **INPUTS).logits, wanted)
    assert {network.place_of(network.full), place} == {0, 2}
    torch.testing.assert_close(network(**INPUTS).logits, models[0](**INPUTS).logits)
    assert network.models == models


def test_as_many_ends_as_parts() -> None:
    with pytest.raises(ValueError, match="2 parts and 1 ends"):
        PartedNetwork([make_model(), make_model()], [0.5])
