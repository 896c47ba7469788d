"""The front of a finished search: latencies measured again, metrics on all validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.architecture import Candidate
from compresskit.display import UNCOUNTED, Counter
from compresskit.methods.names import LADDERS, NAS
from compresskit.pipeline.evaluation.evaluator import Evaluator, Scores
from compresskit.pipeline.evaluation.judges import judged
from compresskit.pipeline.evaluation.latency import LatencyMeter
from compresskit.pipeline.evaluation.latency_record import CandidateLatency
from compresskit.pipeline.evaluation.metric_intervals import with_intervals
from compresskit.pipeline.store.changes import write_changes
from compresskit.pipeline.training.plan import FRONT
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, FrontPoint, TrialRecord
from compresskit.searchers.constraints import UNBOUND, Constraints
from compresskit.searchers.front import build_front, shortfall
from compresskit.searchers.objectives import Objective, front_of, worth

MOVED = 0.1  # by more, milliseconds of the search and of the front are of two states of the machine


def write_front(
    run: RunDirectory,
    records: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    evaluator: Evaluator,
    metric_name: str,
    constraints: Constraints,
) -> Front:
    """Score the front on all validation rows, keep what is still on it, and write pareto.json.

    All latencies are corrected to one state of the machine, and points are run beside the dense model, in
    turn, for their speed-up; trials.jsonl keeps what the searcher got. The dense model beside the
    front is the fine-tuned one, not the super-network's full architecture. Metrics stand with their rows
    and intervals. run.json says under `prior_metric` what the majority baseline has; under `labels` the names
    of classes, none where answers are no classes; under `infeasible` that no point keeps the constraints;
    under `unsteady` that the dense model was faster or slower in the search. What points answer otherwise
    than the dense model is kept, too.
    """
    full = Candidate(evaluator.supernet.full)
    with evaluator.stage.display.stage(FRONT, unit="steps") as counter:
        evaluator.meter.measure_dense()
        evaluator.meter.settle()
        again, answers = settle(records, objectives, evaluator, constraints, counter)
        evaluator.pairs.close()
    measured = evaluator.meter.measure(full)
    metric = run.info["dense_metric"]
    dense = FrontPoint(
        idx=None,
        trial_id=None,
        **full.to_json(),
        signature=full.signature,
        metric=metric,
        fidelity=None if evaluator.dense is None else 1.0,
        worth=None if evaluator.dense is None else worth(metric, 1.0, metric),
        metric_name=metric_name,
        latency_ms=measured.median_ms,
        latency_ci_ms=measured.ci_ms,
        num_params=evaluator.blueprint.num_params(full.architecture),
        macs=evaluator.macs(full.architecture),
        size_bytes=measured.size_bytes,
        marks=measured.marks,
    )
    front = build_front(again, objectives, metric_name, dense, constraints)
    front = replace(front, points=tuple(_timed(point, evaluator) for point in front.points))
    whole = None if evaluator.dense is None else evaluator.dense.validation.answers
    with evaluator.stage.display.stage("confidence intervals"):
        front = with_intervals(front, evaluator.stage.task, answers, whole)
    if whole is not None:
        shown = {point.trial_id: answers[point.trial_id] for point in front.points}
        write_changes(run, evaluator.stage.task, shown, whole)
    front = judged(run, front, evaluator, answers)
    run.update(
        prior_metric=constraints.prior,
        labels=[*evaluator.stage.task.kind.labels],
        infeasible=shortfall(again, constraints, metric_name, _remedy(run)),
        unsteady=_unsteady(measured, evaluator.pairs.dense_ms),
    )
    run.write_front(front)
    return front


def _timed(point: FrontPoint, evaluator: Evaluator) -> FrontPoint:
    """With its speed-up over the dense model, as they ran side by side."""
    known = evaluator.meter.measure(point.candidate)
    if known.speedup is None:
        return replace(point, marks=known.marks)
    found = known.speedup
    marks = tuple(dict.fromkeys((*known.marks, *found.marks)))
    return replace(point, speedup=found.times, speedup_ci=found.ci, marks=marks)


def _unsteady(known: CandidateLatency, now_ms: float | None) -> str | None:
    """What to think of a run whose dense model takes another time now; None where it does not."""
    if now_ms is None or abs(now_ms / known.median_ms - 1) <= MOVED:
        return None
    return (
        f"the dense model takes {now_ms:.3g} ms beside the points of the front and took "
        f"{known.median_ms:.3g} ms in the search: the machine was in another state. Speed-ups are paired and "
        "hold; milliseconds may not. Bench the engines on a quiet machine for these."
    )


def _remedy(run: RunDirectory) -> str:
    """What may be done about limits that no trial of this run keeps."""
    method = run.settings.get("method", NAS)
    if method in LADDERS:
        return "Loosen the limits in a new search, or use method nas."
    elsewhere = "a search --from this run" if method == NAS else "a new search"
    return f"Continue with --resume and more --trials, or loosen the limits in {elsewhere}."


def settle(
    records: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    evaluator: Evaluator,
    constraints: Constraints,
    counter: Counter = UNCOUNTED,
) -> tuple[list[TrialRecord], dict[int | None, npt.NDArray[Any]]]:
    """The trials that come onto the front, with metrics of all validation rows and latencies looked at again;
    and by trial what each says of these rows.

    A search scores on a sample of rows, and of many trials the luckiest on this sample lead. So what
    they lose on all rows may let others be on the front, which are scored too; until then a trial is
    thought to gain what the scored ones gained on the average (the difference estimator of Cochran,
    Sampling Techniques, 1977, section 7.10). Those are the lucky ones, so too little is
    expected: that spares scoring and misses points that would add next to nothing.
    """
    known = {record.trial_id: _relevelled(record, evaluator.meter) for record in records}
    gains: dict[int, tuple[float, ...]] = {}  # in each of Scores
    looked_at: set[int] = set()
    answers: dict[int | None, npt.NDArray[Any]] = {}

    def on_front() -> set[int]:
        gain = np.mean(list(gains.values()) or [(0.0,) * len(Scores._fields)], axis=0).tolist()
        thought = [
            record if record.trial_id in gains else _gaining(record, gain) for record in known.values()
        ]
        # Scored again, a point may keep a bound on the metric that it broke before.
        feasible = (kept.feasible(thought) for kept in (UNBOUND, constraints))
        return {some[row].trial_id for some in feasible for row in front_of(some, objectives)}

    while new := on_front() - (gains.keys() & looked_at):
        counter.expect(total=2 * len(new | gains.keys() | looked_at))
        for trial_id in sorted(new - gains.keys()):
            record = known[trial_id]
            scores, answers[trial_id] = evaluator.validated(record.candidate, record.weights)
            known[trial_id] = replace(record, **scores._asdict())
            gains[trial_id] = tuple(
                (now or 0.0) - (getattr(record, name) or 0.0) for name, now in scores._asdict().items()
            )
            counter.advance()
        for trial_id in sorted(on_front() & gains.keys() - looked_at):
            record = known[trial_id]
            reduction = None
            if record.macs and record.precision == "fp32":  # int8 gains beyond its arithmetic
                reduction = evaluator.macs(evaluator.supernet.full) / record.macs
            measured = evaluator.pairs.latency(record.candidate, reduction)
            known[trial_id] = replace(
                known[trial_id], latency_ms=measured.median_ms, latency_ci_ms=measured.ci_ms
            )
            looked_at.add(trial_id)
            counter.advance()
    return [known[trial_id] for trial_id in sorted(gains)], answers


def _relevelled(record: TrialRecord, meter: LatencyMeter) -> TrialRecord:
    """With its latency in the state that the run was corrected to."""
    if not record.is_completed or record.latency_ms is None:
        return record
    measured = meter.known(record.candidate)
    if measured is None:
        return record
    return replace(record, latency_ms=measured.median_ms, latency_ci_ms=measured.ci_ms)


def _gaining(record: TrialRecord, gain: Sequence[float]) -> TrialRecord:
    """`record` with so much more in each of Scores; what it lacks stays unknown."""
    more: dict[str, Any] = {name: getattr(record, name) for name in Scores._fields}
    for name, by in zip(Scores._fields, gain, strict=True):
        more[name] = None if more[name] is None else more[name] + by
    return replace(record, **more)
