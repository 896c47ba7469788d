from __future__ import annotations

from compresskit.pareto import pareto_mask
from compresskit.searchers.objectives import costs_of
from compresskit.spaces import make_space
from tests.contracts.searcher import DIMS, OBJECTIVES, SearcherContract, search


class TestLocalSearch(SearcherContract):
    name = "local-search"

    def test_every_other_proposal_is_a_neighbour_of_the_front(self) -> None:
        space = make_space("medium", DIMS)
        records = search(self.make(space), 20)
        configs = [space.encode(record.candidate.architecture) for record in records]
        costs = [costs_of(record, OBJECTIVES) or (0.0, 0.0) for record in records]
        near = 0
        for number in range(3, 20):
            front = [c for c, on in zip(configs, pareto_mask(costs[:number]), strict=False) if on]
            near += any(sum(c[k] != configs[number][k] for k in c) == 1 for c in front)
        assert 5 <= near <= 14
