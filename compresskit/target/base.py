"""What every target does, local or remote, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from compresskit.errors import ConfigurationError, TargetError, one_of

if TYPE_CHECKING:
    from onnx import ModelProto

    from compresskit.target.external_weights import LightGraph

# A graph as serialized ONNX, or the file that holds it.
Model = bytes | Path
# By their names in onnxruntime.GraphOptimizationLevel.
OPTIMIZATION_LEVELS = {
    "disable": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}


@dataclass(frozen=True)
class SessionSettings:
    """What a graph needs set in its ONNX Runtime session to run at its measured speed.

    `options` are session configuration entries. Raises ConfigurationError for an unknown level.
    """

    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    optimization_level: str = "all"

    def __post_init__(self) -> None:
        if self.optimization_level not in OPTIMIZATION_LEVELS:
            raise ConfigurationError(
                one_of("optimization level", self.optimization_level, OPTIMIZATION_LEVELS)
            )

    def session_options(self, threads: int, entries: Mapping[str, str] | None = None) -> Any:
        """An onnxruntime.SessionOptions: this level, the threads, and `entries` in place of `options`."""
        import onnxruntime

        made = onnxruntime.SessionOptions()
        made.log_severity_level = 3
        made.intra_op_num_threads = threads
        made.inter_op_num_threads = 1
        level = OPTIMIZATION_LEVELS[self.optimization_level]
        made.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        for name, text in (self.options if entries is None else entries).items():
            made.add_session_config_entry(name, text)
        return made

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SessionSettings:
        known = {item.name for item in fields(cls)}
        for key in value:
            if key not in known and (key, value[key]) != ("disabled_optimizers", []):  # older engines
                raise ConfigurationError(one_of("session setting", key, known))
        options = value.get("options", {})
        if not isinstance(options, Mapping):
            raise ConfigurationError(f"session options are {options!r}; permitted: a table.")
        named = {str(key): str(item) for key, item in options.items()}
        return cls(named, value.get("optimization_level", "all"))


@dataclass(frozen=True)
class Measurement:
    """The latency of one graph on one target, with all that it was computed from.

    Samples are processor time where a run stays on one CPU thread, else wall clock; `wall_median_ms` is by
    the wall clock in any case. `median_ms` and `ci_ms` (95 %) are of the raw samples; the corrected pair is
    what the graph would take with the machine at the state in which the reference takes
    `reference_level_ms`. It was computed from `rounds_ms`, median bursts (reference before, candidate,
    reference after), which share the relative standard error `common_error`; no rounds where mean times
    told it. `marks` say why the corrected pair cannot be trusted.
    A percentile that the number of samples cannot carry is None. `first_run_ms` is session creation
    and first run together. Throughput counts texts.
    """

    samples_ms: tuple[float, ...]
    reference_samples_ms: tuple[float, ...]
    median_ms: float
    ci_ms: tuple[float, float]
    corrected_median_ms: float
    corrected_ci_ms: tuple[float, float]
    reference_level_ms: float | None
    p50_ms: float
    p95_ms: float | None
    p99_ms: float | None
    throughput_per_s: float
    first_run_ms: float | None = None
    peak_memory_bytes: int | None = None
    wall_median_ms: float | None = None
    rounds_ms: tuple[tuple[float, float, float], ...] = ()
    common_error: float = 0.0
    marks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    conditions: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def ratio(self) -> tuple[float, float, float]:
        """The candidate's time in that of the reference, and its 95 % interval."""
        level = self.reference_level_ms
        assert level is not None
        low, high = self.corrected_ci_ms
        return self.corrected_median_ms / level, low / level, high / level

    @property
    def half_width(self) -> float:
        """Half-width of the corrected interval, relative to the corrected median."""
        low, high = self.corrected_ci_ms
        return (high - low) / 2 / self.corrected_median_ms

    def to_json(self) -> dict[str, Any]:
        value = asdict(self)
        for name in ("samples_ms", "reference_samples_ms"):
            value[name] = [round(sample, 5) for sample in value[name]]
        value["rounds_ms"] = [[round(burst, 5) for burst in each] for each in self.rounds_ms]
        for name in ("ci_ms", "corrected_ci_ms", "marks", "warnings"):
            value[name] = list(value[name])
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Measurement:
        """Raises TargetError when `value` was not written by `to_json`."""
        try:
            names = ("samples_ms", "reference_samples_ms", "warnings")
            pairs = {name: tuple(value[name]) for name in names}
            pairs["marks"] = tuple(value.get("marks", ()))
            pairs["rounds_ms"] = tuple(tuple(map(float, each)) for each in value.get("rounds_ms", ()))
            intervals = {
                name: (float(value[name][0]), float(value[name][1])) for name in ("ci_ms", "corrected_ci_ms")
            }
            return cls(**{**value, **pairs, **intervals})
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise TargetError(f"not a measurement: {error!r}; measure again.") from None


class LatencyTarget(Protocol):
    """A device that runs graphs and says how long they take.

    `measure` raises TargetError when the graph fails there; the target itself lives on.
    """

    def measure(
        self,
        model: Model | ModelProto | LightGraph,
        *,
        reference: Model | None = None,
        session: SessionSettings | None = None,
        reference_session: SessionSettings | None = None,
        seconds: float | None = None,
    ) -> Measurement:
        """Latency of `model` under the profile. The reference is run in between, so that drift is seen.

        With a `reference` of the caller's, in a session of `reference_session`, the measurement's `ratio`
        compares the two. With `seconds`, sampling stops by then where the profile would let it go on.
        """

    def conditions(self) -> dict[str, Any]:
        """Device, software and settings: what a stored latency is valid for."""

    def close(self) -> None: ...

    def __enter__(self) -> LatencyTarget: ...

    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> None: ...
