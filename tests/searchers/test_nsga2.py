from __future__ import annotations

from compresskit.pareto import hypervolume
from compresskit.searchers.objectives import costs_of
from tests.contracts.searcher import OBJECTIVES, SearcherContract, search


class TestNsga2(SearcherContract):
    name = "nsga2"

    def test_generations_improve(self) -> None:
        records = search(self.make(), 60)
        costs = [costs for record in records if (costs := costs_of(record, OBJECTIVES)) is not None]
        assert hypervolume(costs, (1, 10)) > hypervolume(costs[:10], (1, 10))
