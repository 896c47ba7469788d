"""Which point of a run is meant: by its number, its trial, or a limit."""

from __future__ import annotations

from compresskit.architecture import Candidate
from compresskit.errors import ConfigurationError
from compresskit.options.export import Choice
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, FrontPoint
from compresskit.searchers.front import select_point


def choose(run: RunDirectory, choice: Choice) -> tuple[Candidate, int | None, str | None]:
    """The candidate that `choice` means, its trial, and the folder of its weights where they are its own.

    ConfigurationError says what there is.
    """
    front = run.front()
    if choice.dense:
        assert front.dense is not None
        return front.dense.candidate, None, None
    if choice.trial is not None:
        for record in run.trials():
            if record.trial_id == choice.trial and record.is_completed:
                return record.candidate, record.trial_id, record.weights
        last = len(run.trials()) - 1
        raise ConfigurationError(
            f"--trial {choice.trial} is not a completed trial of {run.path}; ids are 0 to {last}."
        )
    point = _point(front, choice)
    return point.candidate, point.trial_id, point.weights


def _point(front: Front, choice: Choice) -> FrontPoint:
    if choice.pareto_idx is None:
        return select_point(front, max_drop=choice.max_drop, max_latency_ms=choice.max_latency_ms)
    if not 0 <= choice.pareto_idx < len(front.points):
        raise ConfigurationError(
            f"--pareto-idx {choice.pareto_idx} is not on the front; permitted: 0 (the fastest) to "
            f"{len(front.points) - 1}. `compresskit pareto` lists them."
        )
    return front.points[choice.pareto_idx]
