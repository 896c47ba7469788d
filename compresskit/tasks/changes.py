"""What of a model's answers is not as the dense model's: how many of them, and some in words. numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from compresskit.tasks.base import TaskKind
from compresskit.tasks.examples import Array
from compresskit.tasks.wording import BETTER, OTHER, WORSE

EXAMPLES = 3  # of each kind of change
LONGEST, LEAST = 240, 80  # characters of a text in an example, and of one of several lines


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
        found = []
        for least, name, tone in wording.levels:
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
    kind: TaskKind, inputs: Sequence[Any], answers: Mapping[int | None, Array], dense: Array, labels: Array
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Counts and examples, for JSON, of models by number.

    Counts are of all changes, beside F1 of each group that `labels` hold. Examples are up to `EXAMPLES` of
    each kind of change, drawn at random, in words.
    """
    kinds = compare(kind, dense, dense, labels)
    groups = {name: value for name, value in kind.groups(dense, labels).items() if value[1]}
    points, examples = {}, {}
    for key, each in answers.items():
        found, now = compare(kind, each, dense, labels), kind.groups(each, labels)
        points[str(key)] = {
            "counts": [int(change.found.sum()) for change in found],
            "f1": [round(now[name][0], 4) for name in groups],
        }
        said = {"dense": dense, "point": each}
        if not kind.is_taught:
            said = {"right": labels, **said}
        examples[str(key)] = list(_examples(kind, inputs, found, said))
    counts = {
        "units": kind.wording.units,
        "of": len(kinds[0].found),
        "right": kind.wording.right,
        "kinds": [[change.name, change.tone] for change in kinds],
        "group": kind.wording.group,
        "groups": [[name, count, round(f1, 4)] for name, (f1, count) in groups.items()],
        "points": points,
    }
    return counts, examples


def _examples(
    kind: TaskKind, inputs: Sequence[Any], changes: Sequence[Change], said: Mapping[str, Array]
) -> Iterator[dict[str, Any]]:
    order = np.random.default_rng(0).permutation(len(changes[0].found))
    for change in changes:
        for unit in order[change.found[order]][:EXAMPLES].tolist():
            example: dict[str, Any] = {"change": change.name}
            for name, answers in said.items():
                asked, lines = kind.worded(unit, answers, inputs)
                example["input"] = _cut(asked, LONGEST)
                example[name] = [_cut(line, max(LONGEST // len(lines), LEAST)) for line in lines]
            yield example


def _cut(text: str, longest: int) -> str:
    """One line of about `longest` characters at most, that any file can hold."""
    line = " ".join(text.split()).encode("utf-8", "replace").decode()
    return line if len(line) <= longest else line[:longest].rstrip() + " \N{HORIZONTAL ELLIPSIS}"
