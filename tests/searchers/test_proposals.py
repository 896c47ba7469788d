from __future__ import annotations

import numpy as np

from compresskit.searchers import Searcher, make_objectives, make_searcher
from compresskit.searchers.constraints import Constraints
from compresskit.searchers.proposals import GapSearcher
from compresskit.spaces import Config, Space, make_space
from tests.contracts.searcher import DIMS, OBJECTIVES, SearcherContract, evaluation, search

LIMIT_MS = 4.0


class TestGaps(SearcherContract):
    name = "mo-rea"

    def make(self, space: Space | None = None, seed: int = 0) -> Searcher:
        return GapSearcher(super().make(space, seed), 4)


def largest_gap(searcher: Searcher) -> float:
    records = search(searcher, 24)
    return float(np.diff(np.sort(np.log([record.latency_ms or 0 for record in records]))).max())


def test_trials_spread_over_the_latencies() -> None:
    space = make_space("medium", DIMS)
    alone, chosen = [], []
    for seed in range(5):
        alone.append(largest_gap(make_searcher("random", space, OBJECTIVES, seed)))
        chosen.append(largest_gap(GapSearcher(make_searcher("random", space, OBJECTIVES, seed), 8)))
    assert np.mean(chosen) < np.mean(alone)


def test_gaps_are_looked_for_within_the_limits() -> None:
    space, limits = make_space("medium", DIMS), Constraints(max_latency_ms=LIMIT_MS)

    def within(searcher: Searcher) -> int:
        return sum(
            (record.latency_ms or 0) <= LIMIT_MS for record in search(searcher, 30, constraints=limits)
        )

    alone = [within(make_searcher("local-search", space, OBJECTIVES, seed)) for seed in range(3)]
    chosen = [
        within(GapSearcher(make_searcher("local-search", space, OBJECTIVES, seed), 8)) for seed in range(3)
    ]
    assert np.mean(chosen) >= np.mean(alone)


def test_without_latency_the_other_searcher_decides() -> None:
    space, objectives = make_space("medium", DIMS), make_objectives(["metric", "num_params"])
    own = make_searcher("random", space, objectives, 0)
    gaps = GapSearcher(make_searcher("random", space, objectives, 0), 8)
    assert [r.architecture for r in search(gaps, 12)] == [r.architecture for r in search(own, 12)]


def faster_than_the_front(constraints: Constraints) -> int:
    """How many of 20 trials are faster than what was known to keep the limits: sizes from a half on."""
    space = make_space("ranked", DIMS)
    searcher = GapSearcher(make_searcher("local-search", space, OBJECTIVES, 0), 8)
    rng = np.random.default_rng(0)
    latencies: list[float] = []

    def tell(config: Config) -> None:
        found = evaluation(space, space.decode(config))
        assert found.latency_ms is not None and found.metric is not None
        latencies.append(found.latency_ms)
        costs = [(1 - found.metric) if one.name == "metric" else found.latency_ms for one in OBJECTIVES]
        searcher.tell(len(latencies) - 1, config, costs, constraints.violation(found))

    tell(space.encode(space.smallest))
    for size in np.linspace(0.5, 1, 12):
        tell(space.sample(rng, float(size)))
    fastest = min(latencies[1:])
    for _ in range(20):
        asked = searcher.ask()
        assert asked is not None
        tell(asked)
    return sum(latency < fastest for latency in latencies[13:])


def test_what_is_faster_than_the_front_is_looked_at_too() -> None:
    """The smallest network is no better than the prior, and so is not on the front."""
    assert faster_than_the_front(Constraints(prior=0.6)) >= 3


def test_it_is_not_where_the_front_ends_at_the_limit() -> None:
    assert faster_than_the_front(Constraints(min_metric=0.78)) < faster_than_the_front(Constraints(prior=0.6))
