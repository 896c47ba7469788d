"""The front of a search that has not ended: of its trials, as the searcher was told of them."""

from __future__ import annotations

from compresskit.architecture import Architecture, Candidate
from compresskit.errors import RunError
from compresskit.families import blueprint_from_json
from compresskit.report.verdict import Verdict, judge, not_ended
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, FrontPoint
from compresskit.searchers.constraints import Constraints
from compresskit.searchers.front import build_front
from compresskit.searchers.objectives import make_objectives
from compresskit.target.profile import Profile


def front_and_verdict(run: RunDirectory) -> tuple[Front, Verdict]:
    """The front of a run, or that of its trials so far, and the verdict; in place of it how to go on."""
    has_front = (run.path / "pareto.json").exists()
    front = run.front() if has_front else front_so_far(run)
    completed = run.info["status"] == "completed"
    return front, judge(front, run.info) if completed else not_ended(run, has_front)


def front_so_far(run: RunDirectory) -> Front:
    """The front of the trials that `run` has recorded, beside the dense model.

    Metrics are of the rows that a search scores on, latencies of one short look; both are taken again when
    the search ends. RunError where no trial has been completed.
    """
    trials, info, settings = run.trials(), run.info, run.settings
    if not any(trial.is_completed for trial in trials):
        raise RunError(
            f"{run.path} has no front yet: no trial is completed; continue its search with --resume."
        )
    name, dense_metric = info["metric_name"], info.get("dense_search_metric", info["dense_metric"])
    limits = Constraints.relative(
        settings.get("max_latency_ms"), settings.get("max_drop"), dense_metric, info.get("prior_metric")
    )
    dense = _dense(run, name, dense_metric)
    return build_front(trials, make_objectives(tuple(settings["objectives"])), name, dense, limits)


def _dense(run: RunDirectory, metric_name: str, metric: float) -> FrontPoint:
    """The dense model; its latency is None until it was measured."""
    blueprint = blueprint_from_json(run.info["blueprint"])
    profile = Profile.from_json(run.settings["profile"])
    full = Candidate(Architecture.full(blueprint.dims))
    known = {(each["signature"], each["precision"]): each for each in run.latencies()}
    measured = known.get((full.signature, full.precision))
    return FrontPoint(
        idx=None,
        trial_id=None,
        **full.to_json(),
        signature=full.signature,
        metric=metric,
        metric_name=metric_name,
        latency_ms=None if measured is None else measured["corrected_median_ms"],
        latency_ci_ms=None if measured is None else (*measured["corrected_ci_ms"],),
        num_params=blueprint.num_params(full.architecture),
        macs=blueprint.macs(full.architecture, profile.length, profile.texts),
    )
