"""A search over a space, in a run: what is tried, told, stored and said, and what it keeps to."""

from __future__ import annotations

from collections.abc import Callable

from compresskit.architecture import Candidate
from compresskit.pipeline.inputs import Inputs
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.warm_start import recorded
from compresskit.pipeline.training.time_estimate import Clock
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import TrialRecord
from compresskit.searchers.loop import Budget, Evaluation, run_search


def explore(
    run: RunDirectory,
    settings: SearchSettings,
    inputs: Inputs,
    clock: Clock,
    evaluate: Callable[[Candidate], Evaluation],
    *,
    budget: Budget,
    on_trial: Callable[[TrialRecord], None],
) -> list[TrialRecord]:
    """Ask the searcher of `inputs` until `budget` is spent; `on_trial` stores each record.

    A warm start is tried first, and what the run holds already is not evaluated again. Errors are those
    of `run_search`.
    """
    clock.search_begins(settings)
    if first := recorded(run, inputs.space):
        name = run.info["warm_start"]["run"]
        clock.say(f"warm start: the {len(first)} points of {name} are tried after full, smallest, middle")
    inputs.searcher.begin_with(first)
    # Candidates are scored on these rows, so a drop is counted on them too.
    dense_metric = run.info.get("dense_search_metric", run.info["dense_metric"])
    return run_search(
        evaluate,
        inputs.space,
        inputs.searcher,
        budget=budget,
        clock=clock.now,
        on_trial=on_trial,
        on_progress=lambda progress: clock.trial(progress, inputs.task.metric_name),
        completed=run.trials(),
        constraints=settings.constraints(dense_metric, inputs.task.prior(inputs.task.search)),
    )
