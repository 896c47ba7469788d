"""What a bench found: the value behind `bench --json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from compresskit.target.comparison_result import EngineMeasurement, Ratio
from compresskit.tasks.intervals import Ends, Known

_KNOWN = [
    "is_baseline",
    "metric",
    "metric_name",
    "rows",
    "metric_ci",
    "difference_ci",
    "num_params",
    "macs",
    "precision",
    "signature",
    "sha256",
]


@dataclass(frozen=True)
class EngineResult(EngineMeasurement):
    """One engine as measured; `name` is its path. What is not known of a bare file is None.

    `metric` is a fraction, computed by this engine on `rows` rows; `metric_ci` is its 95 % interval, and
    `difference_ci` that of it minus the baseline's, paired over rows. `recorded_ms` is
    what the search measured, `corrected_ms` what this bench did in the same state of the machine.
    """

    is_baseline: bool = False
    sha256: str = ""
    signature: str | None = None
    precision: str | None = None
    num_params: int | None = None
    macs: int | None = None
    metric: float | None = None
    metric_name: str | None = None
    rows: int | None = None
    metric_ci: Ends | None = None
    difference_ci: Ends | None = None
    recorded_ms: float | None = None

    def scored(self, name: str, metric: float, known: Known) -> EngineResult:
        """With what was found on a data set."""
        return replace(
            self,
            metric=metric,
            metric_name=name,
            rows=known.rows,
            metric_ci=known.metric_ci,
            difference_ci=known.difference_ci,
        )

    def to_json(self, *, raw: bool = False) -> dict[str, Any]:
        value = super().to_json()
        value["latency_ms"] |= {
            "recorded": self.recorded_ms,
            "corrected": self.corrected_ms,
            "corrected_ci": None if self.corrected_ci_ms is None else list(self.corrected_ci_ms),
        }
        left_out = {"nodes"} if raw else {"nodes", "samples_ms"}
        return {key: item for key, item in value.items() if key not in left_out} | {
            name: getattr(self, name) for name in _KNOWN
        }


@dataclass(frozen=True)
class BenchResult:
    """Engines in the order they were given; `changes` is what an earlier bench makes of them.

    `marks` are the reasons why no figure of time is to be trusted; engines and ratios have their own.
    `failed` and `undecided` are what a gate found, in words.
    """

    engines: tuple[EngineResult, ...]
    ratios: tuple[Ratio, ...]
    profile: Mapping[str, Any]
    conditions: Mapping[str, Any]
    warnings: tuple[str, ...]
    changes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()

    def to_json(self, *, raw: bool = False) -> dict[str, Any]:
        """The format of `bench --json`; with `raw` every sample too."""
        return {
            "engines": [engine.to_json(raw=raw) for engine in self.engines],
            "ratios": [ratio.to_json() for ratio in self.ratios],
            "profile": dict(self.profile),
            "conditions": dict(self.conditions),
            "warnings": list(self.warnings),
            "changes": list(self.changes),
            "marks": list(self.marks),
        }


def blank_result(num_engines: int) -> BenchResult:
    """What a bench of so many engines will fill in: every number is there, and is 0."""
    none = (0.0, 0.0)
    blank = EngineResult(
        "engine", (), 0.0, none, 0.0, 0.0, 0.0, 0.0, 0, 0,
        corrected_ms=0.0, corrected_ci_ms=none, p95_ci_ms=none, p99_ci_ms=none, recorded_ms=0.0,
        signature="", precision="", num_params=0, macs=0, metric=0.0, metric_name="", rows=0,
        metric_ci=none, difference_ci=none,
    )  # fmt: skip
    ratio = Ratio("engine", "baseline", 0.0, (0.0, 0.0))
    return BenchResult((blank,) * num_engines, (ratio,) * (num_engines - 1), {}, {}, ())


def disagreement(engine: EngineResult) -> str | None:
    """Bench and search differ by more than 5 % and more than chance: the warning; None where they do not."""
    if engine.recorded_ms is None or engine.corrected_ms is None or engine.corrected_ci_ms is None:
        return None
    low, high = engine.corrected_ci_ms
    apart = engine.corrected_ms / engine.recorded_ms - 1
    if abs(apart) <= 0.05 or low <= engine.recorded_ms <= high:
        return None
    return (
        f"{engine.name}: search measured {engine.recorded_ms:.3f} ms, this bench "
        f"{engine.corrected_ms:.3f} ms in the same state of the machine ({100 * apart:+.0f} %); measure "
        "the front again, after method nas with `compresskit search --from RUN --output NEW`."
    )
