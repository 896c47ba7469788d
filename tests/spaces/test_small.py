from __future__ import annotations

import pytest

from compresskit.architecture import Architecture
from compresskit.errors import ArchitectureError
from tests.contracts.space import DIMS, SpaceContract


class TestSmall(SpaceContract):
    name = "small"

    def test_layers_follow_the_policy(self) -> None:
        config = {"layers": 3, "heads": 2, "units": 5}
        assert self.make(layer_policy="first").decode(config).kept_layers == (0, 1, 2)
        assert self.make(layer_policy="spread").decode(config).kept_layers == (0, 2, 5)

    def test_every_layer_keeps_the_first_heads_and_units(self) -> None:
        architecture = self.make().decode({"layers": 2, "heads": 3, "units": 7})
        assert architecture == Architecture.uniform(DIMS, [0, 5], 3, 7)

    def test_layers_of_another_policy_are_outside(self) -> None:
        architecture = Architecture.uniform(DIMS, [0, 1, 2], 2, 5)
        with pytest.raises(ArchitectureError, match="policy spread"):
            self.make(layer_policy="spread").encode(architecture)

    def test_size(self) -> None:
        assert self.make().size == 6 * 4 * 32
