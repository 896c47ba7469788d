"""The front of a finished search, scored again on all validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compresskit.architecture import Candidate
from compresskit.pipeline.evaluator import Evaluator
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, FrontPoint, TrialRecord
from compresskit.search.constraints import UNBOUND, Constraints
from compresskit.search.front import build_front, shortfall
from compresskit.search.objectives import Objective


def write_front(
    run: RunDirectory,
    records: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    evaluator: Evaluator,
    metric_name: str,
    constraints: Constraints,
) -> Front:
    """Score the front on all validation rows, keep what is still on it, and write pareto.json.

    The dense model beside it is the fine-tuned one, not the super-network's full architecture. Where no
    point keeps the constraints, run.json says so under `infeasible`.
    """
    validation = evaluator.stage.task.validation
    # Scored anew, a point may keep a bound on the metric that it broke before.
    rough = (build_front(records, objectives, metric_name, None, kept) for kept in (UNBOUND, constraints))
    on_front = {point.trial_id for front in rough for point in front.points}
    again = [
        replace(record, metric=evaluator.metric(record.candidate, validation, record.weights))
        for record in records
        if record.trial_id in on_front
    ]
    full = Candidate(evaluator.supernet.full)
    measured = evaluator.meter.measure(full)
    low, high = measured["corrected_ci_ms"]
    dense = FrontPoint(
        idx=None,
        trial_id=None,
        **full.to_json(),
        signature=full.signature,
        metric=run.info["dense_metric"],
        metric_name=metric_name,
        latency_ms=measured["corrected_median_ms"],
        latency_ci_ms=(low, high),
        num_params=evaluator.blueprint.num_params(full.architecture),
        macs=evaluator.macs(full.architecture),
        size_bytes=measured["size_bytes"],
    )
    front = build_front(again, objectives, metric_name, dense, constraints)
    run.update(infeasible=shortfall(again, constraints, metric_name))
    run.write_front(front)
    return front
