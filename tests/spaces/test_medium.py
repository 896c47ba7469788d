from __future__ import annotations

import pytest

from compresskit.architecture import Architecture
from compresskit.errors import ArchitectureError
from tests.contracts.space import DIMS, SpaceContract


class TestMedium(SpaceContract):
    name = "medium"

    def test_counts_of_each_layer(self) -> None:
        space = self.make()
        counts = [(4, 0), (0, 0), (1, 7), (0, 3), (2, 2), (0, 0)]
        config = {f"{kind}{i}": row[k] for i, row in enumerate(counts) for k, kind in enumerate("hu")}
        assert space.decode(config) == Architecture.of_counts(DIMS, counts)

    def test_masks_that_are_no_prefix_are_outside(self) -> None:
        architecture = Architecture.from_json(
            {"num_heads": 4, "num_units": 32, "heads": ["a", 4, 4, 4, 4, 4], "units": [32] * 6}
        )
        with pytest.raises(ArchitectureError, match="not in space medium"):
            self.make().encode(architecture)

    def test_samples_vary_in_depth(self) -> None:
        depths = {len(architecture.kept_layers) for architecture in self.samples(self.make())}
        assert depths >= {1, 2, 3, 4, 5, 6}
