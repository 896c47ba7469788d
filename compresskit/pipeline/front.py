"""The front of a finished search: latencies looked at again, metrics of all validation rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    def roughly(known: Sequence[TrialRecord]) -> set[int | None]:
        fronts = (build_front(known, objectives, metric_name, None, kept) for kept in (UNBOUND, constraints))
        return {point.trial_id for front in fronts for point in front.points}

    known = look_again(records, roughly, evaluator)
    on_front = roughly(known)
    again = [
        replace(record, metric=evaluator.metric(record.candidate, validation, record.weights))
        for record in known
        if record.trial_id in on_front
    ]
    full = Candidate(evaluator.supernet.full)
    measured = evaluator.meter.measure_again(full)
    dense = FrontPoint(
        idx=None,
        trial_id=None,
        **full.to_json(),
        signature=full.signature,
        metric=run.info["dense_metric"],
        metric_name=metric_name,
        latency_ms=measured.median_ms,
        latency_ci_ms=measured.ci_ms,
        num_params=evaluator.blueprint.num_params(full.architecture),
        macs=evaluator.macs(full.architecture),
        size_bytes=measured.size_bytes,
    )
    front = build_front(again, objectives, metric_name, dense, constraints)
    run.update(infeasible=shortfall(again, constraints, metric_name))
    run.write_front(front)
    return front


def look_again(
    records: Sequence[TrialRecord],
    chosen: Callable[[Sequence[TrialRecord]], set[int | None]],
    evaluator: Evaluator,
) -> list[TrialRecord]:
    """`records` with latencies of a second look for those that `chosen` names by trial.

    What turns out slower may let others be chosen: they are looked at too.
    """
    known, looked_at = list(records), set[int | None]()
    while new := chosen(known) - looked_at:
        known = [_again(record, evaluator) if record.trial_id in new else record for record in known]
        looked_at |= new
    return known


def _again(record: TrialRecord, evaluator: Evaluator) -> TrialRecord:
    measured = evaluator.meter.measure_again(record.candidate)
    return replace(record, latency_ms=measured.median_ms, latency_ci_ms=measured.ci_ms)
