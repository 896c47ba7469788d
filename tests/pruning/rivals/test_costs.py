from __future__ import annotations

import numpy as np
import pytest

from compresskit.architecture import Architecture
from compresskit.pruning.rivals.costs import interpolated_costs, mac_costs
from compresskit.supernet.network import SuperNetwork
from tests.contracts.family import ARCHITECTURES
from tests.training.make import make_model


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_macs_are_those_of_the_blueprint(name: str) -> None:
    blueprint = SuperNetwork(make_model()).blueprint
    for length, batch in ((7, 1), (32, 4)):
        costs = mac_costs(blueprint, length, batch)
        for architecture in (ARCHITECTURES[name], Architecture.full(blueprint.dims)):
            assert costs.of(architecture) == blueprint.macs(architecture, length, batch)


def test_between_measured_costs_they_are_linear_and_never_fall() -> None:
    full = Architecture.full(SuperNetwork(make_model()).blueprint.dims)
    costs = interpolated_costs(full, [(4, 3.0), (2, 1.0)], [(8, 2.0), (24, 1.5)], 0.5)
    np.testing.assert_allclose(costs.heads, [0, 0.5, 1, 2, 3])
    assert (costs.units[0], costs.units[4], costs.units[8], costs.units[24]) == (0, 1, 2, 2)
    assert costs.of(full) == pytest.approx(0.5 + 4 * (3 + 2))
