"""A search over a space, in a run: the search loop with its budget, limits and records."""

from __future__ import annotations

from collections.abc import Callable

from compresskit.architecture import Candidate
from compresskit.methods.base import MethodContext
from compresskit.pipeline.evaluation.trial_lines import best_line, trial_line
from compresskit.pipeline.store.warm_start import recorded
from compresskit.pipeline.training.plan import TRIALS
from compresskit.runs.records import TrialRecord
from compresskit.searchers.loop import Budget, Evaluation, SearchProgress, run_search
from compresskit.searchers.searcher import Searcher


def search_space(
    context: MethodContext,
    searcher: Searcher,
    evaluate: Callable[[Candidate], Evaluation],
    *,
    budget: Budget,
    on_trial: Callable[[TrialRecord], None],
) -> list[TrialRecord]:
    """Ask `searcher` until `budget` is spent; `on_trial` stores each record.

    A warm start is tried first, and what the run holds already is not evaluated again. Errors are those
    of `run_search`.
    """
    run, settings, task, display = context.run, context.settings, context.inputs.task, context.display
    if first := recorded(run, searcher.space):
        name = run.info["warm_start"]["run"]
        display(f"warm start: the {len(first)} points of {name} are tried after full, smallest, middle")
    searcher.begin_with(first)
    # Candidates are scored on these rows, so a drop is counted on them too.
    dense_metric = run.info.get("dense_search_metric", run.info["dense_metric"])
    name, completed = task.metric_name, run.trials()
    in_trials = settings.trials is not None
    total, unit = (settings.trials, "trials") if in_trials else (settings.budget_seconds, "s")
    spent = sum(record.seconds for record in completed)

    def hear(progress: SearchProgress) -> None:
        nonlocal spent
        counter.advance(1 if in_trials else progress.seconds - spent)
        spent = progress.seconds
        best = best_line(progress.front, name, dense_metric, settings.max_drop)
        counter.describe(best, trial_line(progress, name))

    with display.stage(TRIALS, total, unit) as counter:
        counter.advance(len(completed) if in_trials else spent)
        return run_search(
            evaluate,
            searcher.space,
            searcher,
            budget=budget,
            clock=display.now,
            on_trial=on_trial,
            on_progress=hear,
            completed=completed,
            constraints=settings.constraints(dense_metric, task.prior(task.search)),
        )
