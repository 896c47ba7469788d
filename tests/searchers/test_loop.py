from __future__ import annotations

import errno
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from compresskit.architecture import Candidate
from compresskit.errors import AgentError, ConfigurationError, RunError, SearchError, TargetError
from compresskit.runs import TrialRecord
from compresskit.searchers import Budget, Evaluation, Searcher, SearchProgress, make_searcher, run_search
from compresskit.spaces import make_space
from tests.contracts.searcher import DIMS, OBJECTIVES, evaluation

SPACE = make_space("small", DIMS)


def searcher() -> Searcher:
    return make_searcher("random", SPACE, OBJECTIVES, 0)


def good(candidate: Candidate) -> Evaluation:
    return evaluation(SPACE, candidate.architecture)


def run(
    evaluate: Callable[[Candidate], Evaluation] = good, budget: Budget | None = None, **options: Any
) -> list[TrialRecord]:
    values: dict[str, Any] = {"clock": lambda: 0.0, "on_trial": lambda record: None, **options}
    return run_search(evaluate, SPACE, searcher(), budget=budget or Budget(trials=8), **values)


def test_each_trial_is_stored_before_the_next() -> None:
    stored: list[TrialRecord] = []
    seen: list[int] = []

    def evaluate(candidate: Candidate) -> Evaluation:
        seen.append(len(stored))
        return good(candidate)

    records = run(evaluate, on_trial=stored.append)
    assert stored == records
    assert seen == list(range(8)) == [record.trial_id for record in records]


def test_records_say_what_was_measured() -> None:
    first = run(budget=Budget(trials=1))[0]
    assert first.candidate.architecture == SPACE.full
    assert (first.config, first.signature) == (SPACE.initial_configs()[0], SPACE.full.signature)
    assert first.metric == pytest.approx(0.9)
    assert (first.latency_ms, first.num_params) == (10.0, 1_000_000)
    assert (first.macs, first.size_bytes, first.latency_ci_ms, first.error) == (None, None, None, None)


def test_a_space_of_many_bits_records_no_configuration() -> None:
    large = make_space("large", DIMS)
    records = run_search(
        lambda candidate: evaluation(large, candidate.architecture),
        large,
        make_searcher("random", large, OBJECTIVES, 0),
        budget=Budget(trials=4),
        clock=lambda: 0.0,
        on_trial=lambda record: None,
    )
    assert [record.config for record in records] == [None] * 4


@pytest.mark.parametrize(
    ("error", "message"),
    [(ValueError("no"), "ValueError: no"), (TargetError("session died"), "session died")],
)
def test_a_failing_candidate_is_recorded_and_the_search_goes_on(error: Exception, message: str) -> None:
    numbers = itertools.count()

    def evaluate(candidate: Candidate) -> Evaluation:
        if next(numbers) in (1, 4):
            raise error
        return good(candidate)

    records = run(evaluate)
    assert [record.trial_id for record in records if record.status == "failed"] == [1, 4]
    assert len(records) == 8
    assert (records[1].error, records[1].metric, records[1].latency_ms) == (message, None, None)


@pytest.mark.parametrize("latency", [None, float("nan")])
def test_an_unmeasured_objective_is_a_failure(latency: float | None) -> None:
    numbers = itertools.count()

    def evaluate(candidate: Candidate) -> Evaluation:
        return good(candidate) if next(numbers) else Evaluation(metric=0.5, latency_ms=latency)

    first = run(evaluate)[0]
    assert first.status == "failed"
    assert first.error == f"objective not measured: latency_ms is {latency}."
    assert (first.metric, first.latency_ms) == (0.5, None)


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), SystemExit(1), RunError("x"), AgentError("gone"), OSError(errno.ENOSPC, "full")],
)
def test_interrupts_and_a_lost_run_or_device_end_the_search(error: BaseException) -> None:
    stored: list[TrialRecord] = []

    def evaluate(candidate: Candidate) -> Evaluation:
        if len(stored) == 3:
            raise error
        return good(candidate)

    with pytest.raises(type(error)):
        run(evaluate, on_trial=stored.append)
    assert len(stored) == 3
    assert run(completed=stored) == run()


def test_a_resumed_search_evaluates_only_what_is_left() -> None:
    calls = itertools.count()

    def evaluate(candidate: Candidate) -> Evaluation:
        next(calls)
        return good(candidate)

    unbroken = run()
    assert run(evaluate, completed=unbroken[:5]) == unbroken
    assert next(calls) == 3
    assert run(evaluate, completed=unbroken) == unbroken
    assert next(calls) == 4


def test_budget_of_seconds_counts_those_of_an_interrupted_search() -> None:
    def timed(budget: Budget, completed: tuple[TrialRecord, ...] = ()) -> list[TrialRecord]:
        now = [0.0]

        def evaluate(candidate: Candidate) -> Evaluation:
            now[0] += 10.0
            return good(candidate)

        return run(evaluate, budget, clock=lambda: now[0], completed=completed)

    records = timed(Budget(seconds=45))
    assert len(records) == 5
    assert {record.seconds for record in records} == {10.0}
    assert timed(Budget(seconds=45), tuple(records[:2])) == records
    assert len(timed(Budget(seconds=45, trials=3))) == 3
    assert len(timed(Budget(seconds=45), tuple(records))) == 5


def test_budgets_that_make_no_sense_are_refused() -> None:
    for budget in ({}, {"trials": 0}, {"seconds": 0.0}):
        with pytest.raises(ConfigurationError, match="budget"):
            Budget(**budget)


def test_progress_shows_front_and_hypervolume() -> None:
    shown: list[SearchProgress] = []
    records = run(on_progress=shown.append)
    assert [progress.num_trials for progress in shown] == list(range(1, 9))
    volumes = [progress.hypervolume for progress in shown]
    assert volumes[0] == 0
    assert all(a is not None and b is not None and a <= b for a, b in itertools.pairwise(volumes))
    latencies = [record.latency_ms or 0.0 for record in shown[-1].front]
    assert latencies == sorted(latencies)
    assert {record.trial_id for record in shown[-1].front} <= {record.trial_id for record in records}


def test_a_search_that_only_fails_gives_up() -> None:
    stored: list[TrialRecord] = []

    def evaluate(candidate: Candidate) -> Evaluation:
        raise ValueError("always")

    with pytest.raises(SearchError, match=r"first 5 trials all failed.*ValueError: always"):
        run(evaluate, on_trial=stored.append)
    assert len(stored) == 5
