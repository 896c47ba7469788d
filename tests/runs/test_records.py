from __future__ import annotations

import json
from typing import Any

import pytest

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.errors import RunError
from compresskit.runs import Front, FrontPoint, TrialRecord
from compresskit.runs.judged import Judged
from compresskit.runs.tested import OnTest

ARCHITECTURE = Architecture.uniform(Dimensions(3, 4, 8, 16, 32), [0, 2], 2, 5)


def trial(**changes: Any) -> TrialRecord:
    values: dict[str, Any] = {
        "trial_id": 0,
        "config": {"layers": 2, "heads": 2, "units": 5},
        "architecture": ARCHITECTURE.to_json(),
        "precision": "fp32",
        "signature": ARCHITECTURE.signature,
        "metric": 0.875,
        "latency_ms": 3.5,
        "latency_ci_ms": (3.4, 3.6),
        "num_params": 1000,
        "macs": 5000,
        "size_bytes": None,
        "status": "completed",
        "error": None,
        "seconds": 0.5,
    }
    return TrialRecord(**{**values, **changes})


def point(**changes: Any) -> FrontPoint:
    values = trial().to_json()
    for name in ("config", "status", "error", "seconds"):
        del values[name]
    return FrontPoint(**{**values, "idx": 0, "metric_name": "accuracy", **changes})


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_trial_round_trip() -> None:
    for record in (trial(), trial(config=None, metric=None, latency_ci_ms=None, status="failed", error="no")):
        assert TrialRecord.from_json(through_json(record.to_json())) == record
    assert trial().candidate == Candidate(ARCHITECTURE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "high"}, "metric is 'high'; permitted: a number"),
        ({"trial_id": True}, "trial_id is True; permitted: a whole number"),
        ({"trial_id": None}, "trial_id is None"),
        ({"status": "running"}, "completed, failed"),
        ({"latency_ci_ms": [1.0]}, "a list of 2 numbers"),
        ({"architecture": {"heads": []}}, "'architecture'"),
        ({"precision": "fp8"}, "fp32"),
        ({"other": 1}, "not known: .*other"),
    ],
)
def test_damaged_trials_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        TrialRecord.from_json({**trial().to_json(), **changes})


def test_a_missing_field_is_named() -> None:
    value = trial().to_json()
    del value["seconds"]
    with pytest.raises(RunError, match=r"missing: \['seconds'\]"):
        TrialRecord.from_json(value)


def test_what_was_written_before_trials_had_weights_is_read() -> None:
    old_trial, old_point = trial().to_json(), point().to_json()
    assert old_trial.pop("weights") is old_point.pop("weights") is None
    assert TrialRecord.from_json(through_json(old_trial)) == trial()
    assert FrontPoint.from_json(through_json(old_point)) == point()
    del old_point["size_bytes"]
    assert FrontPoint.from_json(through_json(old_point)).size_bytes is None


def test_weights_of_a_trials_own_are_kept() -> None:
    record = trial(weights="points/0")
    assert TrialRecord.from_json(through_json(record.to_json())) == record
    with pytest.raises(RunError, match="weights is 3; permitted: a text"):
        TrialRecord.from_json({**record.to_json(), "weights": 3})


def test_front_round_trip() -> None:
    front = Front(("metric", "latency_ms"), (point(),), point(idx=None, trial_id=None))
    assert Front.from_json(through_json(front.to_json())) == front
    assert Front.from_json(through_json(Front(("metric", "macs"), ()).to_json())).dense is None
    with pytest.raises(RunError, match="not a front"):
        Front.from_json({"points": []})


def test_figures_that_came_later_are_kept_and_older_files_lack_them() -> None:
    known = point(
        rows=872,
        metric_ci=(0.85, 0.9),
        difference_ci=(-0.01, 0.002),
        speedup=2.5,
        speedup_ci=(2.4, 2.6),
        marks=("others took 31 % of the time",),
        test=OnTest(0, "", 0.9, (0.88, 0.92), 1821, "ONNX Runtime", 0.91, (-0.02, 0.0)),
    )
    assert FrontPoint.from_json(through_json(known.to_json())) == known
    older = point().to_json()
    later = ("rows", "metric_ci", "difference_ci", "speedup", "speedup_ci", "marks", "test")
    for name in later:
        del older[name]
    assert FrontPoint.from_json(through_json(older)) == point()
    for wrong in ({"metric_ci": [1]}, {"marks": "busy"}, {"test": 3}, {"test": {"metric": 0.9}}):
        with pytest.raises(RunError, match="metric_ci|marks|test figures"):
            FrontPoint.from_json({**point().to_json(), **wrong})


def test_what_judges_say_is_kept() -> None:
    judges = {"stsb": Judged("spearman", 0.86, 1_500, 0.0, (0.85, 0.87), (-0.01, 0.0))}
    kept = point(judges=judges, dims={"128": judges})
    found = FrontPoint.from_json(through_json(kept.to_json()))
    assert found.judges == judges and found == kept
    older = through_json(point().to_json())
    del older["judges"]
    assert FrontPoint.from_json(older).judges == {}
    for damage, message in (
        ({"stsb": {"metric": 0.9}}, "incomplete"),
        ({"stsb": {**judges["stsb"].to_json(), "metric": "high"}}, "metric is 'high'"),
        ({"stsb": {"other": 1}}, "not known"),
        ([], "judges is"),
    ):
        with pytest.raises(RunError, match=message):
            FrontPoint.from_json({**older, "judges": damage})
    with pytest.raises(RunError, match="what judges say is not known"):
        FrontPoint.from_json({**older, "dims": {"128": []}})
