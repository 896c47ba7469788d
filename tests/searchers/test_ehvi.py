from __future__ import annotations

import numpy as np
import pytest

from compresskit.searchers.gaussian import NUM_INITIAL, GaussianSearcher
from compresskit.spaces import make_space
from tests.contracts.searcher import DIMS, SearcherContract


class TestEhvi(SearcherContract):
    name = "ehvi"
    trials = NUM_INITIAL + 1
    unserved = {"large"}  # noqa: RUF012

    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_it_looks_for_the_gap_in_the_front(self, seed: int) -> None:
        space = make_space("medium", DIMS, unit_multiple=8)
        searcher = self.make(space, seed)
        rng = np.random.default_rng(seed)
        drawn = (space.sample_architecture(rng) for _ in range(60))
        known = [a for a in drawn if not 0.2 < space.relative_size(a) < 0.8][:24]
        for number, architecture in enumerate(dict.fromkeys([*space.initial_architectures, *known])):
            size = space.relative_size(architecture)
            searcher.tell(number, space.encode(architecture), (1 - size, float(np.exp(size))))
        proposed = searcher.ask()
        assert proposed is not None
        assert 0.2 < space.relative_size(space.decode(proposed)) < 0.8

    @pytest.mark.parametrize("name", ["ranked", "medium"])
    def test_places_lead_back_to_their_configurations(self, name: str) -> None:
        space = make_space(name, DIMS, unit_multiple=8)
        searcher = self.make(space)
        assert isinstance(searcher, GaussianSearcher)
        least = {parameter.name: parameter.lower for parameter in space.parameters}
        for parameter in space.parameters:
            for index in range(parameter.count):
                config = {**least, parameter.name: parameter.value(index)}
                places = searcher._places(config)
                assert searcher._at(places) == config
                assert all(0 <= place <= 1 + 1e-9 for place in places.values())
