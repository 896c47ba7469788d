"""A line of latencies.jsonl: what a run knows of a candidate, and its samples corrected to another level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compresskit.errors import RunError
from compresskit.pipeline.evaluation.speedup import SpeedUp
from compresskit.runs.fields import RESTORE
from compresskit.searchers.additive import Shapes
from compresskit.target.paired import Rounds


@dataclass(frozen=True)
class CandidateLatency:
    """What a run knows of a candidate: milliseconds with their 95 % interval, bytes of the graph.

    `speedup` over the dense model once the two were run side by side; `marks` say why the milliseconds are
    not to be trusted.
    """

    median_ms: float
    ci_ms: tuple[float, float]
    size_bytes: int
    speedup: SpeedUp | None = None
    marks: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> CandidateLatency:
        """From a line of latencies.jsonl. RunError for figures that no latency has."""
        _check_figures(record)
        low, high = record["corrected_ci_ms"]
        speedup = record.get("speedup")
        return cls(
            record["corrected_median_ms"],
            (low, high),
            record["size_bytes"],
            None if speedup is None else SpeedUp.from_json(speedup),
            tuple(record.get("marks", ())),
        )

    @property
    def half_width(self) -> float:
        """Of the interval, as a share of the median."""
        return (self.ci_ms[1] - self.ci_ms[0]) / 2 / self.median_ms


def _check_figures(record: Mapping[str, Any]) -> None:
    """Above 0, and an interval in order."""
    low, high = record["corrected_ci_ms"]
    if low > high:
        raise RunError(
            f"latencies.jsonl is damaged: corrected_ci_ms is {low} to {high}; permitted: the lower end "
            f"first. {RESTORE}"
        )
    times = (record.get("speedup") or {"times": 1.0})["times"]
    for name, value in (("corrected_median_ms", record["corrected_median_ms"]), ("speedup", times)):
        if value <= 0:
            raise RunError(f"latencies.jsonl is damaged: {name} is {value}; permitted: above 0. {RESTORE}")


def at_level(record: Mapping[str, Any], level_ms: float) -> dict[str, Any]:
    """A record of latencies.jsonl with its raw samples corrected to another level of its reference."""
    if record.get("rounds_ms"):
        rounds = Rounds.of_ms(record["rounds_ms"])
        middle, low, high = rounds.interval(level_ms, record["common_error"])
    else:  # a mix of lengths, mean times, or a run of an older version
        factor = level_ms / record["reference_level_ms"]
        middle, low, high = (
            factor * each for each in (record["corrected_median_ms"], *record["corrected_ci_ms"])
        )
    return {
        **record,
        "reference_level_ms": level_ms,
        "corrected_median_ms": middle,
        "corrected_ci_ms": [low, high],
    }


def shapes_of(signature: str) -> Shapes:
    """(heads, units) of each layer that stays, from `Architecture.signature`. RunError for another text."""
    try:
        pairs = (layer.split("x") for layer in signature.split(","))
        return [(int(heads), int(units)) for heads, units in pairs]
    except ValueError:
        raise RunError(
            f"latencies.jsonl is damaged: signature {signature[:80]!r} names no shapes. {RESTORE}"
        ) from None
