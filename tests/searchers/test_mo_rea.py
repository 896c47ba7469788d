from __future__ import annotations

from compresskit.searchers.mo_rea import POPULATION
from compresskit.spaces import make_space
from tests.contracts.searcher import DIMS, SearcherContract, search


class TestMoRea(SearcherContract):
    name = "mo-rea"

    def test_children_differ_from_a_recent_trial_in_one_parameter(self) -> None:
        space = make_space("medium", DIMS)
        configs = [space.encode(r.candidate.architecture) for r in search(self.make(space), 40)]
        near = 0
        for number in range(POPULATION, 40):
            parents = configs[number - POPULATION : number]
            near += any(sum(p[k] != configs[number][k] for k in p) == 1 for p in parents)
        assert near >= 28  # the others stepped aside from an architecture that was known
