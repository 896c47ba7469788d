from __future__ import annotations

import pytest

from compresskit.architecture import Architecture
from compresskit.errors import ArchitectureError
from tests.contracts.space import DIMS, SpaceContract


class TestLayer(SpaceContract):
    name = "layer"

    def test_layers_stay_whole(self) -> None:
        config = {"l0": 0, "l1": 1, "l2": 0, "l3": 0, "l4": 1, "l5": 0}
        assert self.make().decode(config) == Architecture.uniform(DIMS, [1, 4], 4, 32)

    def test_part_of_a_layer_is_outside(self) -> None:
        with pytest.raises(ArchitectureError, match="not in space layer"):
            self.make().encode(Architecture.uniform(DIMS, [0], 4, 31))

    def test_enumeration_lists_each_once(self) -> None:
        space = self.make()
        found = {space.decode(config) for config in space.enumerate_configs()}
        assert len(found) == len(space.enumerate_configs()) == space.size - 1  # none at all is repaired
