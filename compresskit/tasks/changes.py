"""What of a model's answers is not as the dense model's: how many of them, and some in words. numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from compresskit.tasks.base import TaskKind
from compresskit.tasks.examples import Array

EXAMPLES = 3  # of each kind of change
LONGEST, LEAST = 240, 100  # characters of a text in an example, and of one of several lines
WORSE, BETTER, OTHER, SLIGHT = "worse", "better", "other", "slight"


class Change(NamedTuple):
    """One kind of change: its name for people, what to think of it, and (units,) which answers changed so."""

    name: str
    tone: str
    found: npt.NDArray[np.bool_]


def compare(kind: TaskKind, answers: Array, dense: Array, labels: Array) -> list[Change]:
    """All kinds of change from the answers of the dense model, worst first. All three are in one form."""
    wording, same = kind.wording, kind.correctness(answers, dense)
    changed = same < 1
    if kind.is_taught:
        found, tones = [], [SLIGHT, OTHER, WORSE][: len(wording.levels)]
        for tone, (least, name) in zip(tones, wording.levels, strict=True):
            found.append(Change(name, tone, changed & (same >= least)))
            changed = changed & (same < least)
        return found[::-1]
    gained = kind.correctness(answers, labels) - kind.correctness(dense, labels)
    return [
        Change(wording.worse, WORSE, changed & (gained < 0)),
        Change(wording.better, BETTER, changed & (gained > 0)),
        Change(wording.other, OTHER, changed & (gained == 0)),
    ]


def changes_of(
    kind: TaskKind, answers: Mapping[int | None, Array], dense: Array, labels: Array
) -> dict[str, Any]:
    """Counts, for JSON, of models by number: of all changes, and F1 of each group that `labels` hold."""
    kinds = compare(kind, dense, dense, labels)
    groups = {name: value for name, value in kind.groups(dense, labels).items() if value[1]}
    points = {}
    for key, each in answers.items():
        found, now = compare(kind, each, dense, labels), kind.groups(each, labels)
        points[str(key)] = {
            "counts": [int(change.found.sum()) for change in found],
            "f1": [round(now[name][0], 4) for name in groups],
        }
    return {
        "units": kind.wording.units,
        "of": len(kinds[0].found),
        "right": kind.wording.right,
        "kinds": [[change.name, change.tone] for change in kinds],
        "group": kind.wording.group,
        "groups": [[name, count, round(f1, 4)] for name, (f1, count) in groups.items()],
        "points": points,
    }


def examples_of(
    kind: TaskKind, inputs: Sequence[Any], answers: Mapping[int | None, Array], dense: Array, labels: Array
) -> dict[str, list[dict[str, Any]]]:
    """Up to `EXAMPLES` of each kind of change, for JSON, of models by number; drawn at random, in words."""
    return {str(key): list(_examples(kind, inputs, each, dense, labels)) for key, each in answers.items()}


def _examples(
    kind: TaskKind, inputs: Sequence[Any], answers: Array, dense: Array, labels: Array
) -> Iterator[dict[str, Any]]:
    changes = compare(kind, answers, dense, labels)
    order = np.random.default_rng(0).permutation(len(changes[0].found))
    for change in changes:
        for unit in order[change.found[order]][:EXAMPLES].tolist():
            asked, said = kind.worded(unit, answers, inputs)
            told = {"dense": kind.worded(unit, dense, inputs)[1], "point": said}
            if not kind.is_taught:
                told = {"right": kind.worded(unit, labels, inputs)[1], **told}
            yield {
                "change": change.name,
                "input": _cut(asked, LONGEST),
                **{
                    name: [_cut(line, max(LONGEST // len(lines), LEAST)) for line in lines]
                    for name, lines in told.items()
                },
            }


def _cut(text: str, longest: int) -> str:
    """One line of about `longest` characters at most, that any file can hold."""
    line = " ".join(text.split()).encode("utf-8", "replace").decode()
    return line if len(line) <= longest else line[:longest].rstrip() + " \N{HORIZONTAL ELLIPSIS}"
