from __future__ import annotations

import json
from typing import Any

import pytest

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.errors import RunError
from compresskit.runs import Front, FrontPoint, TrialRecord

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
