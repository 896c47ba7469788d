"""The final front: what all validation rows and a second look at its latencies do to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from compresskit.architecture import Candidate
from compresskit.display import SILENT
from compresskit.pipeline.evaluation.evaluator import Scores
from compresskit.pipeline.evaluation.final_front import write_front
from compresskit.pipeline.evaluation.latency_record import CandidateLatency
from compresskit.pipeline.evaluation.speedup import SpeedUp
from compresskit.runs import Front, RunDirectory
from compresskit.runs.changes import read_changes, read_examples
from compresskit.runs.records import TrialRecord
from compresskit.searchers.constraints import UNBOUND
from compresskit.searchers.objectives import make_objectives, worth
from compresskit.tasks.classification import Classification
from compresskit.tasks.task import Split
from tests.report.runs import FULL, HALF, UNEVEN, trial

FAST = replace(trial(0), latency_ms=4.0, metric=0.8)
SLOW = replace(
    trial(1, metric=0.79), architecture=UNEVEN.to_json(), signature=UNEVEN.signature, latency_ms=4.5
)


DENSE_METRIC = 0.9
ROWS = 100
KIND = Classification(("no", "yes"), "accuracy")
VALIDATION = Split([(f"text {row}",) for row in range(ROWS)], np.arange(ROWS) % 2, [{}] * ROWS)


def right_on(share: float) -> Any:
    """Answers to the validation rows of which the first are right."""
    return np.where(np.arange(ROWS) < round(share * ROWS), VALIDATION.labels, 1 - VALIDATION.labels)


def scores(metric: float, fidelity: float | None) -> Scores:
    return Scores(metric, fidelity, None if fidelity is None else worth(metric, fidelity, DENSE_METRIC))


class Evaluator:
    """Scores every candidate as it was, or as `metrics` say; the second look finds `better` by signature.

    `fidelity` are known by signature, or not at all.
    """

    fidelity: dict[str, float] | None = None
    relevelled: ClassVar[dict[str, float]] = {}
    marks: tuple[str, ...] = ()
    is_settled = False

    def __init__(self, better: dict[str, float], metrics: dict[str, float]) -> None:
        self.better = better
        self.metrics = {HALF.signature: 0.8, UNEVEN.signature: 0.79, **metrics}
        self.asked: list[str] = []
        self.scored: list[str] = []
        self.meter = self.pairs = self
        self.dense_ms: float | None = None
        self.supernet = SimpleNamespace(full=FULL)
        self.stage = SimpleNamespace(
            task=SimpleNamespace(validation=VALIDATION, metric_name="accuracy", kind=KIND, judges={}),
            display=SILENT,
        )
        self.blueprint = SimpleNamespace(num_params=lambda architecture: 1)

    def measure_dense(self) -> None:
        assert not self.is_settled, "levels are settled with this look in them"

    def close(self) -> None:
        pass

    def settle(self) -> None:
        self.is_settled = True

    def known(self, candidate: Candidate) -> CandidateLatency | None:
        ms = self.relevelled.get(candidate.signature)
        return None if ms is None else CandidateLatency(ms, (0.99 * ms, 1.01 * ms), 1)

    def measure(self, candidate: Candidate) -> CandidateLatency:
        ms = self.better[candidate.signature]
        times = self.better[FULL.signature] / ms
        speedup = SpeedUp(times, (0.99 * times, 1.01 * times), self.marks)
        return CandidateLatency(ms, (0.99 * ms, 1.01 * ms), 1, speedup)

    def latency(self, candidate: Candidate, macs_ratio: float | None) -> CandidateLatency:
        assert self.is_settled and macs_ratio is not None
        self.asked.append(candidate.signature)
        return self.measure(candidate)

    @property
    def dense(self) -> object | None:
        return self.fidelity and SimpleNamespace(validation=SimpleNamespace(answers=right_on(DENSE_METRIC)))

    def validated(self, candidate: Candidate, *_: Any) -> tuple[Scores, Any]:
        self.scored.append(candidate.signature)
        signature = candidate.signature
        found = scores(self.metrics[signature], None if self.fidelity is None else self.fidelity[signature])
        return found, right_on(found.metric)

    def macs(self, architecture: Any) -> int:
        return 1


def final(
    folder: Path,
    better: dict[str, float],
    metrics: dict[str, float] | None = None,
    records: Sequence[TrialRecord] = (FAST, SLOW),
    now_ms: float | None = None,
    relevelled: dict[str, float] | None = None,
    marks: tuple[str, ...] = (),
    fidelity: dict[str, float] | None = None,
) -> tuple[Front, Any]:
    evaluator: Any = Evaluator({FULL.signature: 9.0, **better}, metrics or {})
    evaluator.fidelity = fidelity
    evaluator.dense_ms = now_ms
    evaluator.relevelled = relevelled or {}
    evaluator.marks = marks
    with RunDirectory.create(folder / "run", {}) as run:
        run.update(dense_metric=DENSE_METRIC)
        objectives = make_objectives(("metric", "latency_ms"))
        found = write_front(run, records, objectives, evaluator, "accuracy", UNBOUND)
    return found, evaluator


def test_latencies_of_the_front_are_those_of_the_second_look(tmp_path: Path) -> None:
    found, evaluator = final(tmp_path, {HALF.signature: 3.9})
    assert [point.latency_ms for point in found.points] == [3.9]
    assert evaluator.scored == [HALF.signature]
    assert evaluator.asked == [HALF.signature]
    assert found.points[0].speedup == pytest.approx(9 / 3.9)
    assert found.points[0].speedup_ci == pytest.approx((0.99 * 9 / 3.9, 1.01 * 9 / 3.9))


def test_points_carry_why_their_latency_is_not_to_be_trusted(tmp_path: Path) -> None:
    found, _ = final(tmp_path, {HALF.signature: 3.9}, marks=("busy",))
    assert found.points[0].marks == ("busy",)
    assert RunDirectory.open(tmp_path / "run").front().points[0].marks == ("busy",)


def test_latencies_of_the_search_are_first_corrected_to_one_state(tmp_path: Path) -> None:
    """By the search's own figures the slow one is dominated; corrected, it is the faster of the two."""
    better = {HALF.signature: 4.0, UNEVEN.signature: 2.0}
    found, evaluator = final(tmp_path, better, relevelled=better)
    assert evaluator.asked == [HALF.signature, UNEVEN.signature]
    assert [point.latency_ms for point in found.points] == [2.0, 4.0]


def test_point_that_turns_out_slow_lets_another_one_onto_the_front(tmp_path: Path) -> None:
    found, evaluator = final(tmp_path, {HALF.signature: 5.0, UNEVEN.signature: 4.4})
    assert [(point.latency_ms, point.metric) for point in found.points] == [(4.4, 0.79), (5.0, 0.8)]
    assert evaluator.asked == [HALF.signature, UNEVEN.signature]


def test_run_says_that_the_dense_model_takes_another_time_now(tmp_path: Path) -> None:
    final(tmp_path, {HALF.signature: 3.9}, now_ms=6.0)
    note = RunDirectory.open(tmp_path / "run").info["unsteady"]
    assert "takes 6 ms beside the points of the front and took 9 ms" in note


def test_run_of_a_steady_machine_says_nothing(tmp_path: Path) -> None:
    final(tmp_path, {HALF.signature: 3.9})
    assert RunDirectory.open(tmp_path / "run").info["unsteady"] is None


WHOLE = replace(trial(0), architecture=FULL.to_json(), signature=FULL.signature, latency_ms=9.0, metric=0.85)
THREE = [WHOLE, replace(FAST, trial_id=1), replace(SLOW, trial_id=2)]
AS_BEFORE = {HALF.signature: 4.0, UNEVEN.signature: 4.5}


def test_what_the_sample_flattered_lets_another_onto_the_front(tmp_path: Path) -> None:
    metrics = {FULL.signature: 0.85, HALF.signature: 0.77, UNEVEN.signature: 0.78}
    found, evaluator = final(tmp_path, AS_BEFORE, metrics, THREE)
    assert evaluator.scored == [FULL.signature, HALF.signature, UNEVEN.signature]
    assert [point.metric for point in found.points] == [0.77, 0.78, 0.85]


def test_what_all_are_thought_to_lose_lets_none_onto_the_front(tmp_path: Path) -> None:
    metrics = {FULL.signature: 0.80, HALF.signature: 0.76}
    found, evaluator = final(tmp_path, AS_BEFORE, metrics, THREE)
    assert evaluator.scored == [FULL.signature, HALF.signature]
    assert [point.metric for point in found.points] == [0.76, 0.80]


def test_points_are_chosen_by_metric_and_fidelity(tmp_path: Path) -> None:
    # By their labels alone the fastest dominates: they flatter it, all rows or not.
    known = {FULL.signature: 0.94, HALF.signature: 0.80, UNEVEN.signature: 0.90}
    metrics = {FULL.signature: 0.85, HALF.signature: 0.86, UNEVEN.signature: 0.85}
    records = [
        replace(record, **scores(metrics[record.signature], known[record.signature])._asdict())
        for record in THREE
    ]
    found, evaluator = final(tmp_path, AS_BEFORE, metrics, records, fidelity=known)
    assert [(point.metric, point.fidelity) for point in found.points] == [
        (0.86, 0.80),
        (0.85, 0.90),
        (0.85, 0.94),
    ]
    assert [point.worth for point in found.points] == pytest.approx([0.83, 0.875, 0.895])
    assert evaluator.scored == [FULL.signature, HALF.signature, UNEVEN.signature]
    assert found.dense is not None
    assert found.dense.fidelity == 1
    assert found.dense.worth == pytest.approx((DENSE_METRIC + 1) / 2)


def test_metrics_stand_with_rows_and_intervals(tmp_path: Path) -> None:
    known = {FULL.signature: 0.94, HALF.signature: 0.8}
    found, _ = final(tmp_path, {HALF.signature: 3.9}, fidelity=known, records=[replace(FAST, fidelity=0.8)])
    (point,), dense = found.points, found.dense
    assert dense is not None
    assert (point.rows, dense.rows) == (ROWS, ROWS)
    for shown in (point, dense):
        assert shown.metric_ci is not None and shown.metric is not None
        assert shown.metric_ci[0] < shown.metric < shown.metric_ci[1]
    assert point.difference_ci is not None and point.difference_ci[0] < -0.1 < point.difference_ci[1] < 0
    assert dense.difference_ci is None
    run = RunDirectory.open(tmp_path / "run")
    assert run.front() == found
    assert run.info["labels"] == ["no", "yes"]
    changed = read_changes(run.path)
    assert changed is not None and changed["of"] == ROWS
    assert changed["points"] == {"0": {"counts": [10, 0, 0], "f1": [0.8, 0.8]}}
    assert next(each["right"] for each in read_examples(run.path)["0"]) in (["no"], ["yes"])


def test_without_the_dense_models_answers_no_difference_is_known(tmp_path: Path) -> None:
    found, _ = final(tmp_path, {HALF.signature: 3.9})
    assert found.points[0].metric_ci is not None and found.points[0].difference_ci is None
    assert found.dense is not None and found.dense.rows == ROWS and found.dense.metric_ci is None
    assert read_changes(tmp_path / "run") is None
