"""What a run directory holds, as values: one record a trial, and the front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from compresskit.architecture import Architecture, Candidate
from compresskit.errors import ArchitectureError, RunError

COMPLETED = "completed"
FAILED = "failed"


@dataclass(frozen=True)
class TrialRecord:
    """One line of trials.jsonl. What was not measured is None.

    `config` is None where it would say no more than `architecture`, at a thousand times the size
    (space `large`). `seconds` is the wall time of the evaluation.
    """

    trial_id: int
    config: dict[str, Any] | None
    architecture: dict[str, Any]
    precision: str
    signature: str
    metric: float | None
    latency_ms: float | None
    latency_ci_ms: tuple[float, float] | None
    num_params: int | None
    macs: int | None
    size_bytes: int | None
    status: str
    error: str | None
    seconds: float

    @property
    def is_completed(self) -> bool:
        return self.status == COMPLETED

    @property
    def candidate(self) -> Candidate:
        return Candidate(Architecture.from_json(self.architecture), self.precision)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrialRecord:
        """Raises RunError for missing or unknown fields and for values of another kind."""
        record = cls(**_fields_of(cls, value))
        if record.status not in (COMPLETED, FAILED):
            raise RunError(f"status {record.status!r} is not known; permitted: {COMPLETED}, {FAILED}.")
        _check_architecture(record.architecture, record.precision)
        return record


@dataclass(frozen=True)
class FrontPoint:
    """One point of pareto.json; the dense model has `idx` None, and `trial_id` None if no trial is it."""

    idx: int | None
    trial_id: int | None
    architecture: dict[str, Any]
    precision: str
    signature: str
    metric: float | None
    metric_name: str
    latency_ms: float | None
    latency_ci_ms: tuple[float, float] | None
    num_params: int | None
    macs: int | None
    size_bytes: int | None = None

    @property
    def candidate(self) -> Candidate:
        return Candidate(Architecture.from_json(self.architecture), self.precision)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FrontPoint:
        point = cls(**_fields_of(cls, value))
        _check_architecture(point.architecture, point.precision)
        return point


@dataclass(frozen=True)
class Front:
    """pareto.json: points sorted by latency (`points[i].idx` is i), the dense model beside them."""

    objectives: tuple[str, ...]
    points: tuple[FrontPoint, ...]
    dense: FrontPoint | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "objectives": list(self.objectives),
            "points": [point.to_json() for point in self.points],
            "dense": None if self.dense is None else self.dense.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Front:
        try:
            dense = value["dense"]
            return cls(
                tuple(value["objectives"]),
                tuple(FrontPoint.from_json(point) for point in value["points"]),
                None if dense is None else FrontPoint.from_json(dense),
            )
        except (KeyError, TypeError) as error:
            raise RunError(
                f"pareto.json is damaged ({error}); write it again by running the search."
            ) from None


_KINDS: dict[str, tuple[type, ...]] = {
    "idx": (int,),
    "trial_id": (int,),
    "config": (dict,),
    "architecture": (dict,),
    "precision": (str,),
    "signature": (str,),
    "metric": (int, float),
    "metric_name": (str,),
    "latency_ms": (int, float),
    "latency_ci_ms": (list, tuple),
    "num_params": (int,),
    "macs": (int,),
    "size_bytes": (int,),
    "status": (str,),
    "error": (str,),
    "seconds": (int, float),
}


def _fields_of(kind: type[TrialRecord] | type[FrontPoint], value: Mapping[str, Any]) -> dict[str, Any]:
    known = {field.name: field.type for field in fields(kind)}
    if set(value) != set(known):
        missing, unknown = sorted(set(known) - set(value)), sorted(set(value) - set(known))
        raise RunError(f"fields missing: {missing}; not known: {unknown}.")
    result = dict(value)
    for name, annotation in known.items():
        if value[name] is None:
            if "None" not in str(annotation):
                raise RunError(f"field {name!r} is empty.")
        elif not isinstance(value[name], _KINDS[name]) or isinstance(value[name], bool):
            raise RunError(f"field {name!r} is {value[name]!r}, of another kind than expected.")
    if result["latency_ci_ms"] is not None:
        if len(result["latency_ci_ms"]) != 2:
            raise RunError("field 'latency_ci_ms' is not a pair.")
        result["latency_ci_ms"] = tuple(result["latency_ci_ms"])
    return result


def _check_architecture(architecture: Mapping[str, Any], precision: str) -> None:
    try:
        Candidate(Architecture.from_json(architecture), precision)
    except (ArchitectureError, TypeError) as error:
        raise RunError(f"field 'architecture' is not valid: {error}") from None
