"""The front of a finished search: latencies looked at again, metrics of all validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.architecture import Candidate
from compresskit.pipeline.evaluator import Evaluator, Scores
from compresskit.pipeline.figures import with_intervals
from compresskit.pipeline.latency import CandidateLatency
from compresskit.pipeline.methods import LADDERS, NAS
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, FrontPoint, TrialRecord
from compresskit.search.constraints import UNBOUND, Constraints
from compresskit.search.front import build_front, shortfall
from compresskit.search.objectives import Objective, front_of, worth


def write_front(
    run: RunDirectory,
    records: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    evaluator: Evaluator,
    metric_name: str,
    constraints: Constraints,
) -> Front:
    """Score the front on all validation rows, keep what is still on it, and write pareto.json.

    Points whose latency the search left uncertain are measured once more; trials.jsonl stays what the
    searcher was told. The dense model beside the front is the fine-tuned one, not the
    super-network's full architecture. Metrics stand with their rows and intervals. run.json says under
    `prior_metric` what one answer to every row has; under `infeasible` that no point keeps the
    constraints; under `unsteady` that the dense model is faster or slower now than it was measured to be.
    """
    again, answers = settle(records, objectives, evaluator, constraints)
    full = Candidate(evaluator.supernet.full)
    measured = evaluator.meter.measure_again(full)
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
    )
    front = build_front(again, objectives, metric_name, dense, constraints)
    whole = None if evaluator.dense is None else evaluator.dense.validation.answers
    front = with_intervals(front, evaluator.stage.task, answers, whole)
    run.update(
        prior_metric=constraints.prior,
        infeasible=shortfall(again, constraints, metric_name, _remedy(run)),
        unsteady=_unsteady(measured, evaluator.meter.moved_to(full)),
    )
    run.write_front(front)
    return front


def _unsteady(known: CandidateLatency, now_ms: float | None) -> str | None:
    """What to think of a run whose dense model takes another time now; None where it does not."""
    if now_ms is None:
        return None
    return (
        f"the dense model takes {now_ms:.3g} ms now and took {known.median_ms:.3g} ms when it was measured: "
        "the machine was busy then or is now, so points may be slower beside the dense model than this front "
        "has it. Bench the engines, or search again on a quiet machine, --from this run to keep what was "
        "trained."
    )


def _remedy(run: RunDirectory) -> str:
    """What may be done about limits that no trial of this run keeps."""
    method = run.settings.get("method", NAS)
    if method in LADDERS:
        return "Loosen the limits in a new search, or take method nas."
    elsewhere = "a search --from this run" if method == NAS else "a new search"
    return f"Search on with --resume and more --trials, or loosen the limits in {elsewhere}."


def settle(
    records: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    evaluator: Evaluator,
    constraints: Constraints,
) -> tuple[list[TrialRecord], dict[int | None, npt.NDArray[Any]]]:
    """The trials that come onto the front, with metrics of all validation rows and latencies looked at again;
    and by trial what each says of these rows.

    A search scores on a sample of rows, and of many trials those lead that the sample flatters. So what
    they lose on all rows may let others be on the front, which are scored too; until then a trial is
    thought to gain what the scored ones gained on the average (the difference estimator of Cochran,
    Sampling Techniques, 1977, section 7.10). Those are the ones that were flattered, so too little is
    expected: that spares scoring and misses points that would add next to nothing.
    """
    known = {record.trial_id: record for record in records}
    gains: dict[int, tuple[float, ...]] = {}  # in each of Scores
    looked_at: set[int] = set()
    answers: dict[int | None, npt.NDArray[Any]] = {}

    def on_front() -> set[int]:
        gain = np.mean(list(gains.values()) or [(0.0,) * len(Scores._fields)], axis=0).tolist()
        thought = [
            record if record.trial_id in gains else _gaining(record, gain) for record in known.values()
        ]
        # Scored anew, a point may keep a bound on the metric that it broke before.
        feasible = (kept.feasible(thought) for kept in (UNBOUND, constraints))
        return {some[row].trial_id for some in feasible for row in front_of(some, objectives)}

    while new := on_front() - (gains.keys() & looked_at):
        for trial_id in sorted(new - gains.keys()):
            record = known[trial_id]
            scores, answers[trial_id] = evaluator.validated(record.candidate, record.weights)
            known[trial_id] = replace(record, **scores._asdict())
            gains[trial_id] = tuple(
                (now or 0.0) - (getattr(record, name) or 0.0) for name, now in scores._asdict().items()
            )
        for trial_id in sorted(on_front() & gains.keys() - looked_at):
            measured = evaluator.meter.measure_again(known[trial_id].candidate)
            known[trial_id] = replace(
                known[trial_id], latency_ms=measured.median_ms, latency_ci_ms=measured.ci_ms
            )
            looked_at.add(trial_id)
    return [known[trial_id] for trial_id in sorted(gains)], answers


def _gaining(record: TrialRecord, gain: Sequence[float]) -> TrialRecord:
    """`record` with so much more in each of Scores; what it lacks stays unknown."""
    more: dict[str, Any] = {name: getattr(record, name) for name in Scores._fields}
    for name, by in zip(Scores._fields, gain, strict=True):
        more[name] = None if more[name] is None else more[name] + by
    return replace(record, **more)
