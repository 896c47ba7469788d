"""Whether a tool's answers are those of the engine, by task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

TOLERANCE = 1e-4
ROUNDING = 1e-6  # of scores, by which two rows are not told apart
TOP = 10


class Alike(NamedTuple):
    """`figures` by name, for a table."""

    right: bool
    figures: Mapping[str, str]


def vectors(said: Sequence[Any], wanted: Sequence[Any]) -> Alike:
    """Within TOLERANCE, and with the same nearest texts in the same order, but for those equally near."""
    ours, theirs = (np.asarray(each, dtype=np.float64) for each in (wanted, said))
    difference = float(np.abs(theirs - ours).max())
    near = _cosines(ours)
    best = -np.sort(-near, axis=1)[:, :TOP]
    chosen = np.argsort(-_cosines(theirs), axis=1, kind="stable")[:, :TOP]
    same = bool((np.abs(np.take_along_axis(near, chosen, axis=1) - best) <= ROUNDING).all())
    figures = {"largest difference": f"{difference:.1e}", f"same top {TOP}": "yes" if same else "NO"}
    return Alike(difference <= TOLERANCE and same, figures)


def scores(said: Sequence[Any], wanted: Sequence[Any]) -> Alike:
    """Within TOLERANCE, and in the same order: of all rows, and so of those of each query."""
    ours, theirs = (np.asarray(each, dtype=np.float64) for each in (wanted, said))
    difference = float(np.abs(theirs - ours).max())
    same = bool((np.diff(theirs[np.argsort(ours, kind="stable")]) >= -ROUNDING).all())
    figures = {"largest difference": f"{difference:.1e}", "same order": "yes" if same else "NO"}
    return Alike(difference <= TOLERANCE and same, figures)


def spans(said: Sequence[Any], wanted: Sequence[Any]) -> Alike:
    """The same characters of the context; where a tool gives no places, the same text but case and spaces."""
    same = sum(_is_same(*pair) for pair in zip(said, wanted, strict=True))
    return Alike(same == len(wanted), {"same answers": f"{same} of {len(wanted)}"})


def choices(said: Sequence[Any], wanted: Sequence[Any]) -> Alike:
    """Probabilities within TOLERANCE, and the same choices."""
    pairs = list(zip(said, wanted, strict=True))
    difference = max(float(np.abs(np.subtract(scores, each["scores"])).max()) for scores, each in pairs)
    same = sum(int(np.argmax(scores)) == each["choice"] for scores, each in pairs)
    figures = {"largest difference": f"{difference:.1e}", "same choices": f"{same} of {len(pairs)}"}
    return Alike(difference <= TOLERANCE and same == len(pairs), figures)


def labels(said: Sequence[Any], wanted: Sequence[Any]) -> Alike:
    """Of the labels that the engine gives a text, the tool's probabilities, which are its highest ones."""
    difference, same = 0.0, 0
    for scores, given in zip(said, wanted, strict=True):
        own = {each["label"]: each["score"] for each in given}
        difference = max([difference, *(abs(scores[name] - score) for name, score in own.items())])
        same += set(sorted(scores, key=scores.__getitem__, reverse=True)[: len(own)]) == set(own)
    figures = {"largest difference": f"{difference:.1e}", "same labels": f"{same} of {len(wanted)}"}
    return Alike(difference <= TOLERANCE and same == len(wanted), figures)


def classes(said: Sequence[Any], wanted: Sequence[Any]) -> Alike:
    """Probabilities of classes, which are numbered in the order of their names, against logits."""
    theirs = np.asarray([[each[name] for name in sorted(each)] for each in said], dtype=np.float64)
    ours = np.exp(np.asarray(wanted, dtype=np.float64))
    ours /= ours.sum(-1, keepdims=True)
    difference = float(np.abs(theirs - ours).max())
    same = int((theirs.argmax(-1) == ours.argmax(-1)).sum())
    figures = {"largest difference": f"{difference:.1e}", "same classes": f"{same} of {len(wanted)}"}
    return Alike(difference <= TOLERANCE and same == len(wanted), figures)


def _is_same(said: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if "start" in said:
        return all(said[key] == wanted[key] for key in ("start", "end", "answer"))
    first, second = ("".join(each["answer"].lower().split()) for each in (said, wanted))
    return first == second


def _cosines(said: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """(rows, rows) of each text with each, itself among them."""
    unit = said / np.linalg.norm(said, axis=1, keepdims=True)
    return np.asarray(unit @ unit.T)


ALIKE: Mapping[str, Callable[[Sequence[Any], Sequence[Any]], Alike]] = {
    "embedding": vectors,
    "rerank": scores,
    "qa": spans,
    "choice": choices,
    "labels": labels,
    "image": classes,
}
