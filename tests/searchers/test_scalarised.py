from __future__ import annotations

import sys

import numpy as np
import pytest

from compresskit.searchers.gaussian import NUM_INITIAL
from compresskit.spaces import make_space
from tests.contracts.searcher import DIMS, SearcherContract


class TestLinear(SearcherContract):
    name = "bo-linear"
    trials = NUM_INITIAL + 1
    unserved = {"large"}  # noqa: RUF012

    def test_it_minimises_the_mean_of_the_costs(self) -> None:
        space = make_space("medium", DIMS, unit_multiple=8)
        searcher = self.make(space)
        rng = np.random.default_rng(0)
        configs = [*space.initial_configs(), *(space.sample(rng) for _ in range(25))]
        distances = [abs(space.relative_size(space.decode(config)) - 0.6) for config in configs]
        for number, (config, distance) in enumerate(zip(configs, distances, strict=True)):
            searcher.tell(number, config, (distance, 5.0 + distance))
        proposed = searcher.ask()
        assert proposed is not None
        assert abs(space.relative_size(space.decode(proposed)) - 0.6) < np.median(distances) / 2

    def test_an_interrupt_in_a_fit_is_not_swallowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        searcher = self.make()
        for number in range(NUM_INITIAL):
            config = searcher.ask()
            assert config is not None
            searcher.tell(number, config, (0.1 * number, 5.0))

        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        library = sys.modules["syne_tune.optimizer.schedulers.searchers.botorch.botorch_searcher"]
        monkeypatch.setattr(library, "fit_gpytorch_mll", interrupted)
        with pytest.raises(KeyboardInterrupt):
            searcher.ask()


class TestRandom(SearcherContract):
    name = "bo-random"
    trials = NUM_INITIAL + 1
    unserved = {"large"}  # noqa: RUF012
