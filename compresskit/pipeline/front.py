"""The front of a finished search: latencies looked at again, metrics of all validation rows."""

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

    Points of the front that have a wide interval of latency are measured once more before; trials.jsonl
    stays what the searcher was told. The dense model beside the front is the fine-tuned one, not the
    super-network's full architecture. Where no point keeps the constraints, run.json says so under
    `infeasible`.
    """
    validation = evaluator.stage.task.validation

    # Scored anew, a point may keep a bound on the metric that it broke before.
    def roughly() -> set[int | None]:
        fronts = (build_front(known, objectives, metric_name, None, kept) for kept in (UNBOUND, constraints))
        return {point.trial_id for front in fronts for point in front.points}

    known = list(records)
    looked_at: set[int | None] = set()
    while new := roughly() - looked_at:  # what turns out slower may let another onto the front
        known = [_looked_at(record, evaluator) if record.trial_id in new else record for record in known]
        looked_at |= new
    on_front = roughly()
    again = [
        replace(record, metric=evaluator.metric(record.candidate, validation, record.weights))
        for record in known
        if record.trial_id in on_front
    ]
    full = Candidate(evaluator.supernet.full)
    measured = evaluator.meter.measure_again(full)
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


def _looked_at(record: TrialRecord, evaluator: Evaluator) -> TrialRecord:
    measured = evaluator.meter.measure_again(record.candidate)
    low, high = measured["corrected_ci_ms"]
    return replace(record, latency_ms=measured["corrected_median_ms"], latency_ci_ms=(low, high))
