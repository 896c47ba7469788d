"""The integers that a configuration is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Config = dict[str, int]
Scores = npt.NDArray[np.floating[Any]]
PartScores = tuple[float, Scores, Scores]
"""Of a part of a super-network: below which relative size it serves, scores of its heads and units."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One integer from `lower` to `upper`, both included, in steps of `step`."""

    name: str
    lower: int
    upper: int
    step: int = 1

    @property
    def count(self) -> int:
        return (self.upper - self.lower) // self.step + 1

    def value(self, index: int) -> int:
        return self.lower + self.step * index

    def domain(self) -> Any:
        """This parameter as Syne Tune has it; its value where it has but one."""
        from syne_tune.config_space import finrange, randint

        if self.count == 1:
            return self.lower
        if self.step == 1:
            return randint(self.lower, self.upper)
        return finrange(self.lower, self.upper, self.count, cast_int=True)

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            return False
        number = int(value)
        return self.lower <= number <= self.upper and (number - self.lower) % self.step == 0
