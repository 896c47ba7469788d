"""Conditions under which a bench fails: KEY OP NUMBER, parsed and never evaluated."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from compresskit.errors import ConfigurationError
from compresskit.pipeline.benching.result import blank_result

_COMPARISONS = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(
    r"\s*(?P<key>[A-Za-z_]\w*(?:\.\w+)*)\s*(?P<sign>[<>=!]=|[<>])\s*"
    r"(?P<limit>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
)


@dataclass(frozen=True)
class Condition:
    """`key` names a number of bench's JSON: of each engine, of each ratio, or a path from the top."""

    key: str
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        return bool(_COMPARISONS[self.sign](value, self.limit))

    def __str__(self) -> str:
        return f"{self.key} {self.sign} {self.limit:g}"


@dataclass(frozen=True)
class Figure:
    """A number of `holder` (an engine, a ratio, or all of bench's JSON), found there under `key`."""

    owner: str
    key: str
    value: float
    holder: Mapping[str, Any]


def parse_condition(text: str) -> Condition:
    """Raises ConfigurationError for anything but KEY OP NUMBER."""
    match = _FORM.fullmatch(text)
    limit = float(match["limit"]) if match else float("nan")
    if match is None or not isfinite(limit):
        raise ConfigurationError(
            f"--fail-if {text!r} is not understood; permitted: KEY OP NUMBER with OP one of "
            f"{' '.join(_COMPARISONS)}, such as 'latency_ms.p95 > 5' or 'speedup < 1.5'."
        )
    return Condition(match["key"], match["sign"], limit)


def check_keys(conditions: Sequence[Condition], num_engines: int) -> None:
    """Raise ConfigurationError for a key that no bench of so many engines finds, before one is run.

    What lies below `profile` and `conditions` differs by device, and is looked up afterwards alone.
    """
    blank = blank_result(num_engines).to_json()
    for condition in conditions:
        if condition.key.partition(".")[0] not in ("profile", "conditions"):
            list(figures(condition, blank))


def figures(condition: Condition, result: Mapping[str, Any]) -> Iterator[Figure]:
    """What the condition is about, in each engine or ratio that it judges.

    A key of an engine is looked up in each engine but the baseline (which counts when it is alone).
    Raises ConfigurationError for a key that the result does not have, or whose number was not measured:
    a gate that cannot be checked must not pass.
    """
    first, *_ = condition.key.split(".")
    engines: Sequence[Mapping[str, Any]] = result["engines"]
    judged = [engine for engine in engines if not engine.get("is_baseline")] or engines
    ratios: Sequence[Mapping[str, Any]] = result["ratios"]
    if any(first in engine for engine in engines):
        owners = [(str(engine["path"]), engine) for engine in judged]
    elif first in ("speedup", "ci"):
        owners = [(f"{ratio['engine']} against {ratio['baseline']}", ratio) for ratio in ratios]
        if not owners:
            raise ConfigurationError(
                f"--fail-if '{condition}': there is no ratio, since only one engine was measured; "
                "give --baseline."
            )
    elif first in result:
        owners = [("bench", result)]
    else:
        permitted = sorted({key for engine in engines for key in engine} | {"speedup"} | set(result))
        raise ConfigurationError(
            f"--fail-if '{condition}': bench's JSON has no key {first!r}; permitted: {', '.join(permitted)}."
        )
    for owner, holder in owners:
        inner, key = _innermost(holder, condition.key)
        yield Figure(owner, key, _number(condition, owner, holder), inner)


def _innermost(holder: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], str]:
    """The engine or ratio that a path from the top leads through, and the rest of the path."""
    first, _, rest = key.partition(".")
    index, _, inner = rest.partition(".")
    if first in ("engines", "ratios") and inner and _is_index(index, holder.get(first, ())):
        return holder[first][int(index)], inner
    return holder, key


def _number(condition: Condition, owner: str, holder: Any) -> float:
    value = holder
    for part in condition.key.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, Sequence) and not isinstance(value, str) and _is_index(part, value):
            value = value[int(part)]
        else:
            there = f"; permitted there: {', '.join(map(str, value))}" if isinstance(value, Mapping) else ""
            raise ConfigurationError(f"--fail-if '{condition}': {owner} has no {part!r}{there}.")
    if value is None:
        raise ConfigurationError(
            f"--fail-if '{condition}': {condition.key} of {owner} was not measured.{_remedy(condition.key)}"
        )
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigurationError(f"--fail-if '{condition}': {condition.key} of {owner} is not a number.")
    return float(value)


def _remedy(key: str) -> str:
    if key.startswith("latency_ms.p"):
        return (
            " A percentile needs enough samples (59 for p95, 299 for p99): raise max_runs and max_seconds of "
            "the profile."
        )
    return " Give --dataset." if key == "metric" else " The engine's manifest does not say."


def _is_index(part: str, value: Sequence[Any]) -> bool:
    return part.isdecimal() and int(part) < len(value)
