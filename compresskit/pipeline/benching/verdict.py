"""Whether the conditions of a gate hold, do not hold, or are not decided: by intervals and by marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from compresskit.pipeline.benching.gate import Condition, Figure, figures
from compresskit.report.units import interval as spelled
from compresskit.target.decide import FIGURES, Interval, Limit, is_decided

# Keys whose numbers depend on time, and so on what else the machine did.
_OF_TIME = ("latency_ms", "throughput_per_s", "first_run_ms", "speedup", "ci")


class Outcome(Enum):
    """`HOLDS` is a failure of the gate."""

    HOLDS = "holds"
    DOES_NOT = "does not hold"
    UNDECIDED = "not decided"


@dataclass(frozen=True)
class Decision:
    """What became of one condition for one engine or ratio; `reason` says why it is not decided."""

    condition: Condition
    figure: Figure
    interval: Interval | None
    outcome: Outcome
    reason: str = ""

    def __str__(self) -> str:
        ends = f" ({spelled(self.interval)})" if self.interval else ""
        text = f"{self.figure.owner}: {self.condition.key} is {self.figure.value:g}{ends}"
        return f"{text}, and --fail-if is '{self.condition}'{f': {self.reason}' if self.reason else ''}."


def judge(
    conditions: Sequence[Condition], result: Mapping[str, Any], *, allow_busy: bool = False
) -> list[Decision]:
    """A decision for each condition and engine, of bench's JSON.

    A figure of time is decided when it bears no mark and its interval, where it has one, lies on one side of
    the limit; with `allow_busy` the figure itself decides. Raises ConfigurationError as `figures` does.
    """
    return [
        _judge(condition, figure, result, allow_busy)
        for condition in conditions
        for figure in figures(condition, result)
    ]


def limits_of(conditions: Sequence[Condition]) -> tuple[Limit, ...]:
    """The limits that measuring can go on for until they are decided."""
    names = {("speedup" if name == "speedup" else f"latency_ms.{name}"): name for name in FIGURES}
    return tuple(Limit(names[each.key], each.limit) for each in conditions if each.key in names)


def _judge(condition: Condition, figure: Figure, result: Mapping[str, Any], allow_busy: bool) -> Decision:
    ends = _interval(figure)
    outcome = Outcome.HOLDS if condition.holds(figure.value) else Outcome.DOES_NOT
    if allow_busy or figure.key.partition(".")[0] not in _OF_TIME:
        return Decision(condition, figure, ends, outcome)
    reasons = list(_marks(figure, result))
    if ends is not None and not is_decided(ends, condition.limit):
        reasons.insert(0, "the interval does not lie on one side of the limit")
    if reasons:
        return Decision(condition, figure, ends, Outcome.UNDECIDED, "; ".join(reasons))
    return Decision(condition, figure, ends, outcome)


def _marks(figure: Figure, result: Mapping[str, Any]) -> Iterator[str]:
    own = figure.holder.get("marks", ()) if figure.holder is not result else ()
    yield from dict.fromkeys((*result.get("marks", ()), *own))


def _interval(figure: Figure) -> Interval | None:
    holder, latency = figure.holder, figure.holder.get("latency_ms") or {}
    if figure.key == "speedup":
        return _pair(holder["ci"])
    if figure.key == "throughput_per_s":
        # A constant over the median.
        low, high = latency["ci"]
        return figure.value * latency["p50"] / high, figure.value * latency["p50"] / low
    of_latency, _, name = figure.key.partition(".")
    if of_latency != "latency_ms":
        return None
    return _pair(latency.get("ci" if name == "p50" else f"{name}_ci"))


def _pair(ends: Sequence[float] | None) -> Interval | None:
    return None if ends is None else (float(ends[0]), float(ends[1]))
