"""How the super-network is trained: which sub-networks take part in a step, and what teaches them.

Each step draws architectures from a generator seeded by the step, so that a resumed run and all
ranks of a distributed one draw the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from compresskit.architecture import Architecture
from compresskit.errors import ConfigurationError, one_of

Sampler = Callable[[np.random.Generator, float], Architecture]
"""(generator, progress from 0 to 1) -> a random architecture."""

FROM_LABELS = "labels"
FROM_TWIN = "twin"  # labels, twice under different dropout, and the one output the other's
FROM_FULL = "full"  # labels and the detached outputs of the full network in the same step
FROM_TEACHER = "teacher"  # labels and a frozen, fine-tuned teacher's outputs and hidden states


@dataclass(frozen=True)
class Lesson:
    """One network of a step and what it learns from; `is_full` marks the super-network itself."""

    architecture: Architecture
    source: str
    is_full: bool = False


@dataclass(frozen=True)
class Strategy(ABC):
    """`lessons` lists one step's networks, the full network first when it takes part.

    With `apart` the weights move after each network of a step, else once, by the sum of their gradients.
    """

    full: Architecture
    smallest: Architecture
    sample: Sampler
    num_random: int = 2
    apart: bool = False

    name: ClassVar[str]
    needs_teacher: ClassVar[bool] = False

    @abstractmethod
    def lessons(self, step: int, progress: float, generator: np.random.Generator) -> list[Lesson]: ...

    def _full(self, source: str = FROM_LABELS) -> Lesson:
        return Lesson(self.full, source, is_full=True)

    def _random(self, progress: float, generator: np.random.Generator, source: str) -> list[Lesson]:
        return [Lesson(self.sample(generator, progress), source) for _ in range(self.num_random)]


class Standard(Strategy):
    """The full network only: what fine-tuning does."""

    name = "standard"
    source: ClassVar[str] = FROM_LABELS

    def lessons(self, step: int, progress: float, generator: np.random.Generator) -> list[Lesson]:
        return [self._full(self.source)]


class Consistent(Standard):
    """The full network, asked to say the same under any dropout: R-Drop (arXiv 2106.14448)."""

    name = "consistent"
    source = FROM_TWIN


class Random(Strategy):
    """`num_random` random sub-networks on the labels."""

    name = "random"

    def lessons(self, step: int, progress: float, generator: np.random.Generator) -> list[Lesson]:
        return self._random(progress, generator, FROM_LABELS)


class RandomLinear(Strategy):
    """One random sub-network with a probability that rises from 0 to 1, else the full network."""

    name = "random_linear"

    def lessons(self, step: int, progress: float, generator: np.random.Generator) -> list[Lesson]:
        if generator.random() < progress:
            return [Lesson(self.sample(generator, progress), FROM_LABELS)]
        return [self._full()]


class Sandwich(Strategy):
    """Full, random and smallest network, losses summed (Yu and Huang 2019, arXiv 1903.05134)."""

    name = "sandwich"
    source: ClassVar[str] = FROM_LABELS

    def lessons(self, step: int, progress: float, generator: np.random.Generator) -> list[Lesson]:
        random = self._random(progress, generator, self.source)
        return [self._full(), *random, Lesson(self.smallest, self.source)]


class InPlaceDistillation(Strategy):
    """`kd` of Klein et al. 2024: the full network on labels teaches random sub-networks."""

    name = "kd"

    def lessons(self, step: int, progress: float, generator: np.random.Generator) -> list[Lesson]:
        return [self._full(), *self._random(progress, generator, FROM_FULL)]


class SandwichDistillation(Sandwich):
    """`full` of Klein et al. 2024: sandwich rule with in-place distillation."""

    name = "full"
    source = FROM_FULL


@dataclass(frozen=True)
class FrozenTeacher(Strategy):
    """Random sub-networks learn from the fine-tuned dense model, which stays as it was.

    One teacher forward serves all networks of a step. The full network, which starts as the teacher, takes
    part in every `full_every`th step only (0: in none): enough to keep it where it is. An update each
    teaches networks of all sizes more than one for all does (docs/recipe.md).
    """

    apart: bool = True
    full_every: int = 16

    name: ClassVar[str] = "teacher"
    needs_teacher: ClassVar[bool] = True

    def lessons(self, step: int, progress: float, generator: np.random.Generator) -> list[Lesson]:
        takes_part = self.full_every and step % self.full_every == 0
        full = [self._full(FROM_TEACHER)] if takes_part else []
        return [*full, *self._random(progress, generator, FROM_TEACHER)]


class OneNetwork(Strategy):
    """One chosen architecture, `smallest`: not for a super-network, so not among STRATEGIES."""

    source: ClassVar[str]

    @classmethod
    def of(cls, full: Architecture, chosen: Architecture) -> Self:
        return cls(full, chosen, lambda *_: chosen)

    def lessons(self, step: int, progress: float, generator: np.random.Generator) -> list[Lesson]:
        return [Lesson(self.smallest, self.source)]


class Point(OneNetwork):
    """The chosen one learns from the teacher: fine-tuning of a point before export."""

    name = "point"
    needs_teacher = True
    source = FROM_TEACHER


class Alone(OneNetwork):
    """The chosen one learns from the labels alone: standard NAS, dropped layers."""

    name = "alone"
    source = FROM_LABELS


STRATEGIES: dict[str, type[Strategy]] = {
    strategy.name: strategy
    for strategy in (
        Standard,
        Random,
        RandomLinear,
        Sandwich,
        InPlaceDistillation,
        SandwichDistillation,
        FrozenTeacher,
    )
}


def make_strategy(
    name: str, full: Architecture, smallest: Architecture, sample: Sampler, num_random: int = 2
) -> Strategy:
    """Raises ConfigurationError for an unknown name or fewer than one random sub-network."""
    if name not in STRATEGIES:
        raise ConfigurationError(one_of("strategy", name, STRATEGIES))
    if num_random < 1:
        raise ConfigurationError(f"number of random sub-networks {num_random} must be at least 1.")
    return STRATEGIES[name](full, smallest, sample, num_random)
