"""The search loop: propose, evaluate, record, until the budget is spent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from compresskit.architecture import Candidate
from compresskit.errors import AgentError, CompresskitError, ConfigurationError, RunError, SearchError
from compresskit.exhausted import is_disk_full, is_out_of_memory
from compresskit.runs.records import COMPLETED, FAILED, TrialRecord
from compresskit.searchers.constraints import UNBOUND, Constraints
from compresskit.searchers.objectives import Objective, costs_of, front_of, relative_hypervolume
from compresskit.searchers.searcher import Searcher
from compresskit.spaces import Config, Space

# Failures of the run or the device, not of a candidate: the search stops and can be resumed.
_FATAL = (RunError, AgentError)
_HOPELESS = 5  # failures in a row, with no success before them, after which a search gives up


@dataclass(frozen=True)
class Evaluation:
    """What was measured of a candidate; None where it was not."""

    metric: float | None = None
    latency_ms: float | None = None
    latency_ci_ms: tuple[float, float] | None = None
    num_params: int | None = None
    macs: int | None = None
    size_bytes: int | None = None
    fidelity: float | None = None
    worth: float | None = None


@dataclass(frozen=True)
class Budget:
    """Trials in all, seconds of evaluation in all, or both: the search ends at the first."""

    trials: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.trials is None and self.seconds is None:
            raise ConfigurationError("a search needs a budget: trials, seconds, or both.")
        if (self.trials is not None and self.trials < 1) or (self.seconds is not None and self.seconds <= 0):
            raise ConfigurationError(
                f"budget of {self.trials} trials, {self.seconds} seconds; permitted: at least 1 trial, "
                "more than 0 seconds."
            )

    def is_spent(self, trials: int, seconds: float) -> bool:
        return (self.trials is not None and trials >= self.trials) or (
            self.seconds is not None and seconds >= self.seconds
        )


@dataclass(frozen=True)
class SearchProgress:
    """Where a search stands after a trial; `front` is sorted by latency.

    Under constraints the front is that of the feasible trials; `nearest` is the trial that breaks them
    least, where none keeps them.
    """

    record: TrialRecord
    num_trials: int
    num_failed: int
    seconds: float
    front: tuple[TrialRecord, ...]
    hypervolume: float | None
    nearest: TrialRecord | None = None


def run_search(
    evaluate: Callable[[Candidate], Evaluation],
    space: Space,
    searcher: Searcher,
    *,
    budget: Budget,
    clock: Callable[[], float],
    on_trial: Callable[[TrialRecord], None],
    on_progress: Callable[[SearchProgress], None] | None = None,
    completed: Sequence[TrialRecord] = (),
    constraints: Constraints = UNBOUND,
) -> list[TrialRecord]:
    """Search `space` until `budget` is spent or no new architecture is left; returns all records.

    `completed` are the records of an interrupted search: they are replayed, never evaluated
    again, and count towards the budget. `clock` gives seconds. `on_trial` stores each record
    before the next trial starts. Trials that break `constraints` are recorded as they were measured, and
    the searcher is told by how much. A candidate whose evaluation raises, or leaves an objective
    unmeasured, is recorded as failed and the search goes on; a damaged run or an unreachable
    device (RunError, AgentError), a full disk and interrupts end it, with nothing recorded of the trial under
    way. Raises SearchError when the first five trials of this call all fail.
    """
    records = list(completed)
    searcher.replay(records, constraints)
    spent_before = sum(record.seconds for record in records)
    start = clock()
    failures = 0
    while not budget.is_spent(len(records), spent_before + clock() - start):
        config = searcher.ask()
        if config is None:
            break
        record = _try(evaluate, space, searcher, config, clock, len(records))
        on_trial(record)
        records.append(record)
        costs = costs_of(record, searcher.objectives) if record.is_completed else None
        searcher.tell(record.trial_id, config, costs, constraints.violation(record))
        if on_progress is not None:
            seconds = spent_before + clock() - start
            on_progress(_progress(records, space, searcher, seconds, constraints))
        failures = 0 if record.is_completed else failures + 1
        if failures == _HOPELESS == len(records) - len(completed) and not any(
            r.is_completed for r in completed
        ):
            raise SearchError(
                f"the first {failures} trials all failed, the last with: {record.error} "
                "Correct the cause, then continue with --resume."
            )
    return records


def _try(
    evaluate: Callable[[Candidate], Evaluation],
    space: Space,
    searcher: Searcher,
    config: Config,
    clock: Callable[[], float],
    trial_id: int,
) -> TrialRecord:
    candidate = space.candidate(config)
    start = clock()
    error: str | None = None
    evaluation = Evaluation()
    try:
        evaluation = evaluate(candidate)
        error = unmeasured(evaluation, searcher.objectives)
    except _FATAL:
        raise
    except Exception as caught:
        if is_disk_full(caught):
            raise
        error = _in_words(caught)
    kept = dict(config) if space.is_compact else None
    return make_record(trial_id, kept, candidate, evaluation, error, clock() - start)


def _in_words(caught: Exception) -> str:
    if isinstance(caught, CompresskitError):
        return str(caught)
    said = f"{type(caught).__name__}: {caught}"
    return f"memory ran out ({said})" if is_out_of_memory(caught) else said


def make_record(
    trial_id: int,
    config: dict[str, Any] | None,
    candidate: Candidate,
    evaluation: Evaluation,
    error: str | None,
    seconds: float,
    weights: str | None = None,
) -> TrialRecord:
    """A trial as it is stored; with an `error` it has failed."""
    return TrialRecord(
        trial_id=trial_id,
        config=config,
        **candidate.to_json(),
        signature=candidate.signature,
        metric=_finite(evaluation.metric),
        fidelity=_finite(evaluation.fidelity),
        worth=_finite(evaluation.worth),
        latency_ms=_finite(evaluation.latency_ms),
        latency_ci_ms=_finite_pair(evaluation.latency_ci_ms),
        num_params=evaluation.num_params,
        macs=evaluation.macs,
        size_bytes=evaluation.size_bytes,
        status=COMPLETED if error is None else FAILED,
        error=error,
        seconds=seconds,
        weights=weights,
    )


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and isfinite(value) else None


def _finite_pair(ends: tuple[float, float] | None) -> tuple[float, float] | None:
    return ends if ends is not None and all(map(isfinite, ends)) else None


def unmeasured(evaluation: Evaluation, objectives: Sequence[Objective]) -> str | None:
    """Which objectives have no finite value, as the error of a trial; None where all have one."""
    missing = [
        f"{objective.name} is {value}"
        for objective in objectives
        if (value := objective.value(evaluation)) is None or not isfinite(value)
    ]
    return f"objective not measured: {', '.join(missing)}." if missing else None


def _progress(
    records: Sequence[TrialRecord],
    space: Space,
    searcher: Searcher,
    seconds: float,
    constraints: Constraints,
) -> SearchProgress:
    good = [record for record in records if record.is_completed]
    feasible = constraints.feasible(records)
    front = [feasible[i] for i in front_of(feasible, searcher.objectives)]
    full = space.full.to_json()
    dense = next((record for record in good if record.architecture == full), None)
    return SearchProgress(
        record=records[-1],
        num_trials=len(records),
        num_failed=len(records) - len(good),
        seconds=seconds,
        front=tuple(sorted(front, key=by_latency)),
        hypervolume=None if dense is None else relative_hypervolume(good, dense, searcher.objectives),
        nearest=None if feasible else constraints.nearest(records),
    )


def by_latency(record: TrialRecord) -> tuple[float, float]:
    """Sorting key: the fastest first; what has no latency by its number of parameters."""
    return (
        float("inf") if record.latency_ms is None else record.latency_ms,
        float("inf") if record.num_params is None else record.num_params,
    )
