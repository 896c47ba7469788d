"""Real engines on another device: compared there, and their logits computed there."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from compresskit.closing import Closing
from compresskit.errors import AgentError
from compresskit.inputs import TEXT, InputSpec, Row
from compresskit.target.agent.engines import COUNTS, LENGTHS
from compresskit.target.base import Model, SessionSettings
from compresskit.target.comparison_result import Comparison, EngineMeasurement, Ratio
from compresskit.target.decide import Limit
from compresskit.target.profile import Profile
from compresskit.target.reference_level import fingerprint
from compresskit.target.remote import EngineMissingError, RemoteTarget
from compresskit.target.runner import EngineToMeasure

_T = TypeVar("_T")
_ATTEMPTS = 3


class RemoteBench(Closing):
    """The device behind `profile.address`, for engines with their own weights. Each travels once.

    Raises AgentError as RemoteTarget does.
    """

    def __init__(self, profile: Profile, *, say: Callable[[str], None] = lambda _: None) -> None:
        self._target = RemoteTarget(profile, say=say)
        self._say = say
        self._sent: dict[str, str] = {}

    def compare(
        self,
        engines: Sequence[EngineToMeasure],
        baseline: str | None = None,
        *,
        decide: bool = False,
        limits: Sequence[Limit] = (),
    ) -> Comparison:
        """As `target.compare.compare`, on the device."""

        def attempt() -> dict[str, Any]:
            asked = [
                {
                    "name": each.name,
                    "engine": self._send(each.model),
                    "session": None if each.session is None else each.session.to_json(),
                    "size_bytes": _size(each),
                }
                for each in engines
            ]
            fields = {
                "engines": asked,
                "baseline": baseline,
                "decide": decide,
                "limits": [limit.to_json() for limit in limits],
            }
            return self._target.run_job("comparisons", fields, ())

        return comparison_from_json(self._with_engines(attempt))

    def logits(
        self,
        model: Model,
        rows: Sequence[Row],
        *,
        session: SessionSettings | None = None,
        inputs: InputSpec = TEXT,
    ) -> npt.NDArray[np.float32]:
        """Logits (rows, ...) of an engine for encoded rows."""
        parts = _row_parts(rows, inputs)

        def attempt() -> dict[str, Any]:
            fields = {
                "engine": self._send(model),
                "session": None if session is None else session.to_json(),
                "inputs": inputs.to_json(),
            }
            return self._target.run_job("logits", fields, parts)

        found = self._with_engines(attempt)
        values = np.frombuffer(base64.b64decode(found["logits"]), "<f4").reshape(found["shape"])
        return values.astype(np.float32)

    def conditions(self) -> dict[str, Any]:
        return {**self._target.conditions(), "weights": "real"}

    def close(self) -> None:
        self._target.close()

    def _send(self, model: Model) -> str:
        """Name of an engine on the agent, sent there unless it has been."""
        key = fingerprint(model)
        if key not in self._sent:
            data = self._target.prepared(model, real=True)
            self._sent[key] = str(self._target.run_job("engines", {}, [("model", data)])["engine"])
        return self._sent[key]

    def _with_engines(self, attempt: Callable[[], _T]) -> _T:
        """`attempt`, with its engines sent again where a restarted agent has lost them."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return attempt()
            except EngineMissingError as error:
                self._say(f"{error} Sending all engines again.")
                self._sent.clear()
        return attempt()


def comparison_from_json(value: Mapping[str, Any]) -> Comparison:
    """What `Comparison.to_json` wrote. Raises AgentError for anything else."""
    try:
        engines = tuple(_engine(each) for each in value["engines"])
        ratios = tuple(
            Ratio(
                each["engine"],
                each["baseline"],
                each["speedup"],
                (each["ci"][0], each["ci"][1]),
                tuple(each.get("marks", ())),
            )
            for each in value["ratios"]
        )
        return Comparison(
            engines,
            ratios,
            dict(value["conditions"]),
            tuple(value["warnings"]),
            tuple(value.get("marks", ())),
        )
    except (KeyError, TypeError, IndexError) as error:
        raise AgentError(
            f"the agent answered with no comparison ({error!r}); update compresskit there."
        ) from None


def _engine(value: Mapping[str, Any]) -> EngineMeasurement:
    latency = value["latency_ms"]
    return EngineMeasurement(
        name=value["path"],
        samples_ms=tuple(value["samples_ms"]),
        median_ms=latency["p50"],
        ci_ms=(latency["ci"][0], latency["ci"][1]),
        p95_ms=latency["p95"],
        p99_ms=latency["p99"],
        throughput_per_s=value["throughput_per_s"],
        first_run_ms=value["first_run_ms"],
        peak_memory_bytes=value["peak_memory_bytes"],
        size_bytes=value["size_bytes"],
        nodes=dict(value["nodes"]),
        p95_ci_ms=_pair(latency.get("p95_ci")),
        p99_ci_ms=_pair(latency.get("p99_ci")),
        marks=tuple(value.get("marks", ())),
    )


def _pair(ends: Sequence[float] | None) -> tuple[float, float] | None:
    return None if ends is None else (ends[0], ends[1])


def _size(engine: EngineToMeasure) -> int:
    if engine.size_bytes is not None:
        return engine.size_bytes
    return len(engine.model) if isinstance(engine.model, bytes) else engine.model.stat().st_size


def _row_parts(rows: Sequence[Row], inputs: InputSpec) -> list[tuple[str, Model]]:
    """Lengths of all texts, their tokens, and where a row is of several how many it has."""
    names = [name for name in inputs.names if all(name in row for row in rows)]
    parts: list[tuple[str, Model]] = []
    if len(inputs.inputs[0].axes) > 1:
        parts.append((COUNTS, _packed([len(row[names[0]]) for row in rows])))
        rows = [{name: row[name][i] for name in names} for row in rows for i in range(len(row[names[0]]))]
    parts.append((LENGTHS, _packed([len(row[names[0]]) for row in rows])))
    return parts + [(name, _packed([token for row in rows for token in row[name]])) for name in names]


def _packed(values: Sequence[int] | npt.NDArray[np.int64]) -> bytes:
    return np.asarray(values, "<i4").tobytes()
