"""A search over a space, in a run: what is tried, told, stored and said, and what it keeps to."""

from __future__ import annotations

from collections.abc import Callable

from compresskit.architecture import Candidate
from compresskit.pipeline.evaluation.trial_lines import aim_line, best_line, trial_line
from compresskit.pipeline.inputs import Inputs
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.warm_start import recorded
from compresskit.pipeline.training.plan import TRIALS
from compresskit.pipeline.training.time_estimate import Clock
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import TrialRecord
from compresskit.searchers.loop import Budget, Evaluation, Progress, run_search


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
    clock(aim_line(settings))
    if first := recorded(run, inputs.space):
        name = run.info["warm_start"]["run"]
        clock(f"warm start: the {len(first)} points of {name} are tried after full, smallest, middle")
    inputs.searcher.begin_with(first)
    # Candidates are scored on these rows, so a drop is counted on them too.
    dense_metric = run.info.get("dense_search_metric", run.info["dense_metric"])
    name, completed = inputs.task.metric_name, run.trials()
    in_trials = settings.trials is not None
    total, unit = (settings.trials, "trials") if in_trials else (settings.budget_seconds, "s")
    spent = sum(record.seconds for record in completed)

    def hear(progress: Progress) -> None:
        nonlocal spent
        counter.advance(1 if in_trials else progress.seconds - spent)
        spent = progress.seconds
        best = best_line(progress.front, name, dense_metric, settings.max_drop)
        counter.describe(best, trial_line(progress, name))

    with clock.stage(TRIALS, total, unit) as counter:
        counter.advance(len(completed) if in_trials else spent)
        return run_search(
            evaluate,
            inputs.space,
            inputs.searcher,
            budget=budget,
            clock=clock.now,
            on_trial=on_trial,
            on_progress=hear,
            completed=completed,
            constraints=settings.constraints(dense_metric, inputs.task.prior(inputs.task.search)),
        )
