"""How the answers of a task are spoken of, where a report says what of them changed."""

from __future__ import annotations

from dataclasses import dataclass

WORSE, BETTER, OTHER, SLIGHT = "worse", "better", "other", "slight"
"""Tones of changes, which a report has a colour for."""


@dataclass(frozen=True)
class Wording:
    """Names of what may become of an answer of the dense model in a compressed one.

    `units`: what is answered, many of it. `right`: when an answer is right, or has changed. `worse`, `better`
    and `other`: of an answer that is less right than the dense model's, more so, and neither. `levels`:
    instead of these, where nothing but the dense model's answers is known: how true an answer is to them at
    least, from below 1 down, its name, and its tone. `group`: one of what `TaskKind.groups` gives.
    """

    units: str = "texts"
    right: str = ""
    worse: str = "right, now wrong"
    better: str = "wrong, now right"
    other: str = "another wrong answer"
    levels: tuple[tuple[float, str, str], ...] = ()
    group: str = "class"
