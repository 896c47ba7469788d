"""What every searcher promises; each searcher's tests subclass this."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.errors import SearchError
from compresskit.runs import TrialRecord
from compresskit.searchers import (
    Budget,
    Constraints,
    Evaluation,
    Searcher,
    make_objectives,
    make_searcher,
    run_search,
)
from compresskit.searchers.constraints import UNBOUND
from compresskit.spaces import SPACES, Config, Space, make_space

DIMS = Dimensions(num_layers=3, num_heads=4, head_size=8, num_units=32, hidden_size=32)
OBJECTIVES = make_objectives(["metric", "latency_ms"])
TIGHT = Constraints(max_latency_ms=4.0, min_metric=0.6)  # a relative size of 0.0625 to a third
IMPOSSIBLE = Constraints(max_latency_ms=0.5)


def evaluation(space: Space, architecture: Architecture) -> Evaluation:
    """Made-up figures of an architecture: the larger the better and the slower."""
    size = space.relative_size(architecture)
    return Evaluation(metric=0.5 + 0.4 * size**0.5, latency_ms=1 + 9 * size, num_params=int(1e6 * size))


def search(
    searcher: Searcher,
    trials: int,
    completed: list[TrialRecord] | None = None,
    failing: int | None = None,
    constraints: Constraints = UNBOUND,
) -> list[TrialRecord]:
    ids = iter(range(len(completed or []), trials))

    def evaluate(candidate: Candidate) -> Evaluation:
        if next(ids) == failing:
            raise ValueError("broken")
        return evaluation(searcher.space, candidate.architecture)

    return run_search(
        evaluate,
        searcher.space,
        searcher,
        budget=Budget(trials=trials),
        clock=lambda: 0.0,
        on_trial=lambda record: None,
        completed=completed or [],
        constraints=constraints,
    )


def _global_states() -> tuple[str, list[int], int, torch.dtype]:
    return (
        repr(np.random.get_state()),
        torch.get_rng_state().tolist(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
    )


class SearcherContract:
    name: str
    trials: ClassVar[int] = 30  # enough for the searcher's own proposals to begin
    unserved: ClassVar[set[str]] = set()

    def make(self, space: Space | None = None, seed: int = 0) -> Searcher:
        return make_searcher(self.name, space or make_space("small", DIMS), OBJECTIVES, seed)

    def test_first_proposals_are_full_smallest_middle(self) -> None:
        searcher = self.make()
        proposed = [record.config for record in search(searcher, 3)]
        assert proposed == searcher.space.initial_configs()

    def test_every_trial_is_another_architecture(self) -> None:
        records = search(self.make(), self.trials)
        assert len({record.candidate for record in records}) == self.trials

    def test_a_resumed_search_makes_the_same_proposals(self) -> None:
        unbroken = search(self.make(), self.trials)
        for done in (self.trials // 2, self.trials - 1):
            assert search(self.make(), self.trials, completed=unbroken[:done]) == unbroken

    def test_failed_trials_are_replayed_too(self) -> None:
        unbroken = search(self.make(), self.trials, failing=2)
        assert unbroken[2].status == "failed"
        assert search(self.make(), self.trials, completed=unbroken[: self.trials - 1]) == unbroken

    @pytest.mark.parametrize("constraints", [TIGHT, IMPOSSIBLE])
    def test_constraints_are_replayed_and_records_stay_raw(self, constraints: Constraints) -> None:
        unbroken = search(self.make(), self.trials, constraints=constraints)
        searcher = self.make()
        assert unbroken[:3] == search(searcher, 3)
        for record in unbroken:
            measured = evaluation(searcher.space, record.candidate.architecture)
            assert (record.metric, record.latency_ms) == (measured.metric, measured.latency_ms)
        done = unbroken[: self.trials - 2]
        assert search(self.make(), self.trials, completed=done, constraints=constraints) == unbroken

    def test_it_begins_with_what_it_is_given(self) -> None:
        space = make_space("small", DIMS)
        given = [
            space.candidate(c) for c in ({"layers": 2, "heads": 3, "units": 7}, space.initial_configs()[2])
        ]
        for done in (0, 2, 4):
            unbroken = search(self.make(space), done) if done else []
            searcher = self.make(space)
            searcher.begin_with(given)
            records = search(searcher, self.trials, completed=unbroken)
            if done < 4:
                assert [r.candidate for r in records[:4]] == [*space.initial_candidates, given[0]]
            assert given[0] in [record.candidate for record in records[:5]]
            assert len({record.candidate for record in records}) == self.trials

    def test_seeds_make_a_difference(self) -> None:
        records = [search(self.make(seed=seed), self.trials) for seed in (0, 1)]
        assert records[0][:3] == records[1][:3]
        assert records[0] != records[1]

    def test_asking_is_free_of_global_state(self) -> None:
        searcher = self.make()
        search(searcher, self.trials)
        asked: list[Config | None] = []
        for seed in (0, 1):
            np.random.seed(seed)
            torch.manual_seed(seed)
            before = _global_states()
            asked.append(searcher.ask())
            assert _global_states() == before
        assert asked[0] == asked[1]

    @pytest.mark.parametrize("space_name", SPACES)
    def test_serves_a_space_or_names_who_does(self, space_name: str) -> None:
        space = make_space(space_name, DIMS, unit_multiple=8 if space_name != "large" else 1)
        if space_name == "large" and space_name in self.unserved:
            space = make_space("large", Dimensions(3, 4, 8, 64, 32))
        if space_name in self.unserved:
            with pytest.raises(SearchError, match=r"cannot serve space .* that can: random"):
                self.make(space)
            return
        size = min(self.trials, space.size - (space_name == "layer"))
        assert len(search(self.make(space), size)) == size

    def test_a_used_up_space_ends_the_search(self) -> None:
        space = make_space("layer", DIMS)
        records = search(self.make(space), 50)
        assert len(records) == len({record.candidate for record in records}) == 2**3 - 1
        single = make_space("layer", Dimensions(1, 4, 8, 32, 32))
        assert len(search(self.make(single), 50)) == 1

    def test_parameters_of_one_value_are_no_hindrance(self) -> None:
        space = make_space("small", Dimensions(3, 1, 8, 32, 32))
        records = search(self.make(space), self.trials)
        assert all(record.config is not None and record.config["heads"] == 1 for record in records)

    def test_all_trials_failing_still_proposes(self) -> None:
        searcher = self.make()
        for number in range(15):
            config = searcher.ask()
            assert config is not None
            searcher.tell(number, config, None)

    def test_equal_costs_still_propose(self) -> None:
        searcher = self.make()
        for number in range(self.trials):
            config = searcher.ask()
            assert config is not None
            searcher.tell(number, config, (0.5, 1.0))

    def test_trials_are_told_in_order(self) -> None:
        searcher = self.make()
        config = searcher.ask()
        assert config is not None
        with pytest.raises(ValueError, match="trial 0 was expected"):
            searcher.tell(1, config, None)
