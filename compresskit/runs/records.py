"""What a run directory holds, as values: one record a trial, and the front."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any

from compresskit.architecture import Candidate
from compresskit.errors import ArchitectureError, RunError
from compresskit.field_types import wrong_kind
from compresskit.runs.judged import Judged
from compresskit.runs.tested import OnTest

COMPLETED = "completed"
FAILED = "failed"
_TUPLES = {"latency_ci_ms", "metric_ci", "difference_ci", "speedup_ci", "marks"}


@dataclass(frozen=True)
class TrialRecord:
    """One line of trials.jsonl. What was not measured is None.

    `config` is None where it would say no more than `architecture`, at a thousand times the size
    (space `large`). `seconds` is the wall time of the evaluation, and of making the weights where they
    are the trial's own: `weights` is their folder in the run, None where the super-network is shared.
    `blocks`: the structure of each matrix that is stored in blocks, by module; None where none is.
    `fidelity`: the metric with the dense model's answers for labels. `worth`: what the trial is chosen by.
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
    weights: str | None = None
    blocks: dict[str, Any] | None = None
    fidelity: float | None = None
    worth: float | None = None

    @property
    def is_completed(self) -> bool:
        return self.status == COMPLETED

    @property
    def candidate(self) -> Candidate:
        return Candidate.from_json(vars(self))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrialRecord:
        """Raises RunError for missing or unknown fields and for values of another kind."""
        record = cls(**_fields_of(cls, value))
        if record.status not in (COMPLETED, FAILED):
            raise RunError(f"status {record.status!r} is not known; permitted: {COMPLETED}, {FAILED}.")
        return record


@dataclass(frozen=True)
class FrontPoint:
    """One point of pareto.json; the dense model has `idx` None, and `trial_id` None if no trial is it.

    `weights`, `blocks`, `fidelity` and `worth` as in TrialRecord. Intervals are of 95 %: `metric_ci` of the
    metric on `rows` validation rows, `difference_ci` of that metric minus the dense model's on the same rows
    (see `tasks.intervals`), `speedup_ci` of the paired `speedup` over the dense model. `marks`: why the
    latency is not to be trusted. `test`: what an export found on the test set, kept in RUN/tests. `judges`:
    what each judge says, by its name; `dims`: by the width of vectors that are shortened, what these say of
    them, and the metric under its own name.
    """

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
    weights: str | None = None
    blocks: dict[str, Any] | None = None
    fidelity: float | None = None
    worth: float | None = None
    rows: int | None = None
    metric_ci: tuple[float, float] | None = None
    difference_ci: tuple[float, float] | None = None
    speedup: float | None = None
    speedup_ci: tuple[float, float] | None = None
    marks: tuple[str, ...] = ()
    test: OnTest | None = None
    judges: Mapping[str, Judged] = field(default_factory=dict)
    dims: Mapping[str, Mapping[str, Judged]] = field(default_factory=dict)

    @property
    def candidate(self) -> Candidate:
        return Candidate.from_json(vars(self))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FrontPoint:
        return cls(**_fields_of(cls, value))


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

    def tested(self, known: Mapping[int | None, OnTest]) -> Front:
        """With the test figures that are `known` by trial, None for the dense model."""
        points = tuple(replace(point, test=known.get(point.trial_id, point.test)) for point in self.points)
        dense = self.dense and replace(self.dense, test=known.get(None, self.dense.test))
        return replace(self, points=points, dense=dense)

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
            raise RunError(f"not a front ({error}).") from None


def _fields_of(kind: type[TrialRecord] | type[FrontPoint], value: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise RunError(f"{str(value)[:80]!r} is given where a table is expected.")
    known = {each.name for each in fields(kind)}
    required = {
        each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING
    }
    missing, unknown = sorted(required - set(value)), sorted(set(value) - known)
    if missing or unknown:
        raise RunError(f"fields missing: {missing}; not known: {unknown}.")
    result = dict(value)
    for name in _TUPLES & result.keys():  # JSON has no tuples
        if isinstance(result[name], list):
            result[name] = tuple(result[name])
    if result.get("test") is not None:
        result["test"] = OnTest.from_json(result["test"])
    if isinstance(judges := result.get("judges"), Mapping):
        result["judges"] = _judges(judges)
    if isinstance(dims := result.get("dims"), Mapping):
        result["dims"] = {width: _judges(judges) for width, judges in dims.items()}
    if wrong := wrong_kind(kind, result):
        raise RunError(f"field {wrong}")
    try:
        Candidate.from_json(result)
    except (ArchitectureError, TypeError, KeyError, ValueError, AttributeError) as error:
        raise RunError(f"field 'architecture' or 'blocks' is not valid: {error}") from None
    return result


def _judges(value: object) -> dict[str, Judged]:
    if not isinstance(value, Mapping):
        raise RunError(f"what judges say is not known: {value!r:.80}.")
    return {name: Judged.from_json(said) for name, said in value.items()}


def profile_title(profile: Any) -> str:
    """Name of a profile as records have it, and how many texts a request has; "" where there is none."""
    if not isinstance(profile, Mapping):
        return str(profile or "")
    name, candidates, choices = (profile.get(key) for key in ("name", "candidates", "choices"))
    listed = "" if candidates is None else f", a list of {candidates}"
    return f"{name or ''}{listed}" + ("" if choices is None else f", {choices} choices")
