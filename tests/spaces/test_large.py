from __future__ import annotations

import numpy as np
import pytest

from compresskit.architecture import Architecture, Layer
from compresskit.errors import ArchitectureError
from compresskit.kept import Kept
from tests.contracts.space import SpaceContract


class TestLarge(SpaceContract):
    name = "large"

    def test_one_bit_a_head_and_unit(self) -> None:
        space = self.make()
        assert len(space.parameters) == 6 * (4 + 32)
        config = dict.fromkeys((p.name for p in space.parameters), 0) | {"h1_3": 1, "u1_0": 1, "u1_9": 1}
        layer = space.decode(config).layers[1]
        assert (layer.heads.indices, layer.units.indices) == ((3,), (0, 9))

    def test_samples_keep_other_members_than_the_first(self) -> None:
        members = [a.layers[0].heads for a in self.samples(self.make(), 50)]
        assert any(not kept.is_first for kept in members)

    def test_units_beyond_a_multiple_are_dropped(self) -> None:
        space = self.make(unit_multiple=8)
        config = dict.fromkeys((p.name for p in space.parameters), 0)
        config |= {f"u0_{j}": 1 for j in range(10)}
        assert space.decode(config).layers[0].units == Kept.first(32, 8)

    def test_unaligned_units_are_outside(self) -> None:
        empty = Layer(Kept(4, 0), Kept(32, 0))
        architecture = Architecture((Layer(Kept(4, 1), Kept(32, 1)), *[empty] * 5))
        with pytest.raises(ArchitectureError, match="multiples of 8"):
            self.make(unit_multiple=8).encode(architecture)

    def test_mutation_changes_the_size_of_one_row(self) -> None:
        space = self.make()
        before = space.sample_architecture(np.random.default_rng(0))
        after = space.decode(space.mutate(space.encode(before), np.random.default_rng(1)))
        rows = [
            (old, new)
            for a, b in zip(before.layers, after.layers, strict=True)
            for old, new in ((a.heads, b.heads), (a.units, b.units))
            if old != new
        ]
        assert len(rows) == 1
        old, new = rows[0]
        assert old.count != new.count
        assert old.mask & new.mask in (old.mask, new.mask)  # members left or joined, not both
