"""How points differ from the dense model on validation rows: changes.json counts, examples.json has texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compresskit.errors import RunError
from compresskit.runs.fields import Fields, read_object

CHANGES, EXAMPLES = "changes.json", "examples.json"
_REMEDY = "Remove it, or let the search write it again with --resume."


@dataclass(frozen=True)
class _Changes:
    """`of`: how many `units` were answered. `kinds`: name and tone of each change. `groups`: name, number of
    labels, and the dense model's F1. `points`: by trial."""

    units: str
    of: int
    right: str
    kinds: list[tuple[str, str]]
    group: str
    groups: list[tuple[str, int, float]]
    points: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class _Point:
    """`counts`: of each kind of change. `f1`: of each group."""

    counts: list[int]
    f1: list[float]


@dataclass(frozen=True)
class _Example:
    """Lines that say what is `right`, where that is known, and the answers of dense model and point."""

    change: str
    input: str
    right: list[str]
    dense: list[str]
    point: list[str]


def read_changes(run: Path) -> Fields | None:
    """changes.json of `run`; None where there is none. RunError where it is damaged."""
    if not (run / CHANGES).exists():
        return None
    value = read_object(run / CHANGES, _Changes, _REMEDY)
    for point in value["points"].values():
        point.check(_Point)
        if (len(point["counts"]), len(point["f1"])) != (len(value["kinds"]), len(value["groups"])):
            raise RunError(f"{run / CHANGES} is damaged: a point has figures of other kinds. {_REMEDY}")
    value["units"], value["of"], value["right"], value["group"]
    return value


def read_examples(run: Path) -> dict[str, list[Fields]]:
    """examples.json of `run`, by trial. RunError where there is none, or it is damaged."""
    if not (run / EXAMPLES).exists():
        raise RunError(
            f"{run} has no {EXAMPLES}: it was removed, or the run is older than it. Write the report without "
            "--examples, or continue the search with --resume."
        )
    value = read_object(run / EXAMPLES, remedy=_REMEDY)
    for found in value.values():
        if not isinstance(found, list) or not all(isinstance(each, Fields) for each in found):
            raise RunError(f"{run / EXAMPLES} is damaged: it holds no lists of examples. {_REMEDY}")
        for each in found:
            each.check(_Example)
            each["change"], each["input"], each["dense"], each["point"]
    return value
