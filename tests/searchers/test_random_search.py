from __future__ import annotations

from compresskit.spaces import make_space
from tests.contracts.searcher import DIMS, SearcherContract, search


class TestRandom(SearcherContract):
    name = "random"

    def test_measurements_play_no_part(self) -> None:
        searcher = self.make()
        proposed = [record.config or {} for record in search(self.make(), 20)]
        for number, config in enumerate(proposed):
            assert searcher.ask() == config
            searcher.tell(number, config, (0.1 * number, 5.0 - number))

    def test_sizes_of_trials_spread(self) -> None:
        space = make_space("large", DIMS)
        sizes = [
            space.relative_size(record.candidate.architecture) for record in search(self.make(space), 60)[3:]
        ]
        assert min(sizes) < 0.2
        assert max(sizes) > 0.8
