"""A network that gets narrower while it is trained: gradual pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from compresskit.architecture import Architecture
from compresskit.training.strategies import FROM_TEACHER, Lesson, Strategy

UNTIL = 0.5


@dataclass(frozen=True)
class Narrowing(Strategy):
    """One architecture of `path` a step, from its first to its last, which has the second half alone.

    A frozen teacher teaches (cf. Zhu and Gupta 2017, arXiv 1710.01878: pruned a bit, trained a bit).
    Not a strategy for a super-network, so not among STRATEGIES.
    """

    path: tuple[Architecture, ...] = ()

    name: ClassVar[str] = "narrowing"
    needs_teacher: ClassVar[bool] = True

    def lessons(self, step: int, progress: float, generator: np.random.Generator) -> list[Lesson]:
        place = min(int(progress / UNTIL * (len(self.path) - 1)), len(self.path) - 1)
        return [Lesson(self.path[place], FROM_TEACHER)]


def narrowing(path: tuple[Architecture, ...]) -> Narrowing:
    """Raises ValueError for an empty path."""
    if not path:
        raise ValueError("a path needs an architecture")
    return Narrowing(path[0], path[-1], lambda *_: path[-1], path=path)
