"""Precision as one more dimension of a space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from compresskit.architecture import PRECISIONS, Architecture, Candidate
from compresskit.errors import ArchitectureError, ConfigurationError, one_of
from compresskit.spaces.base import Space
from compresskit.spaces.parameter import Config, Parameter, PartScores, Scores

NAME = "precision"
_MUTATED = 0.25  # share of mutations that change the precision and leave the architecture


class PrecisionSpace(Space):
    """Another space's parameters and `precision`, the position in `precisions`.

    A candidate is an architecture in one of them, so that a search can trade the one for the other;
    `decode` and `encode` are those of the architecture, in the first precision.
    """

    def __init__(self, inner: Space, precisions: Sequence[str]) -> None:
        for precision in precisions:
            if precision not in PRECISIONS:
                raise ConfigurationError(one_of(NAME, precision, PRECISIONS))
        if len(set(precisions)) != len(precisions) or not precisions:
            raise ConfigurationError(
                f"precisions {','.join(precisions)!r}: give one or more different ones of "
                f"{', '.join(PRECISIONS)}."
            )
        super().__init__(inner.dims, layer_policy=inner.layer_policy, unit_multiple=inner.unit_multiple)
        self.inner = inner
        self.precisions = tuple(precisions)
        self.name = inner.name  # type: ignore[misc]
        self.is_compact = inner.is_compact  # type: ignore[misc]

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return (*self.inner.parameters, Parameter(NAME, 0, len(self.precisions) - 1))

    def _build(self, config: Mapping[str, int]) -> Architecture | None:
        return self.inner._build(_without(config))

    def decode(self, config: Mapping[str, Any]) -> Architecture:
        if config.get(NAME) not in self.parameters[-1]:
            raise ArchitectureError(
                f"{NAME} is {config.get(NAME)!r}; permitted: 0 to {len(self.precisions) - 1}, "
                f"for {', '.join(self.precisions)}."
            )
        return self.inner.decode(_without(config))

    def encode(self, architecture: Architecture) -> Config:
        return {**self.inner.encode(architecture), NAME: 0}

    def candidate(self, config: Mapping[str, Any]) -> Candidate:
        return Candidate(self.decode(config), self.precisions[int(config[NAME])])

    def config_of(self, candidate: Candidate) -> Config:
        self._check(candidate.precision)
        return {
            **self.inner.encode(candidate.architecture),
            NAME: self.precisions.index(candidate.precision),
        }

    def like(self, candidate: Candidate) -> Candidate:
        """As the inner space has it, in its own precision or, where that is not searched, in the first."""
        searched = candidate.precision in self.precisions
        precision = candidate.precision if searched else self.precisions[0]
        return replace(self.inner.like(candidate), precision=precision)

    def with_scores(self, heads: Scores, units: Scores) -> Space:
        inner = self.inner.with_scores(heads, units)
        return self if inner is self.inner else PrecisionSpace(inner, self.precisions)

    def in_parts(self, orders: Sequence[PartScores]) -> Space:
        inner = self.inner.in_parts(orders)
        return self if inner is self.inner else PrecisionSpace(inner, self.precisions)

    def canonical(self, config: Mapping[str, Any]) -> Config:
        return self.config_of(self.candidate(config))

    @cached_property
    def initial_candidates(self) -> tuple[Candidate, ...]:
        return tuple(
            Candidate(architecture, precision)
            for architecture in self.inner.initial_architectures
            for precision in self.precisions
        )

    def sample(self, rng: np.random.Generator, size: float | None = None) -> Config:
        return {**self.inner.sample(rng, size), NAME: int(rng.integers(len(self.precisions)))}

    def sample_architecture(self, rng: np.random.Generator) -> Architecture:
        return self.inner.sample_architecture(rng)

    def mutate(self, config: Mapping[str, int], rng: np.random.Generator) -> Config:
        """The architecture mutated as its own space does, or, in a quarter of cases, the precision."""
        if len(self.precisions) > 1 and rng.uniform() < _MUTATED:
            away = int(rng.integers(1, len(self.precisions)))
            return self.canonical({**config, NAME: (config[NAME] + away) % len(self.precisions)})
        return {**self.inner.mutate(_without(config), rng), NAME: config[NAME]}

    def _check(self, precision: str) -> None:
        if precision not in self.precisions:
            raise ArchitectureError(
                f"precision {precision!r} is not searched; this space has {', '.join(self.precisions)}."
            )

    def enumerate_configs(self) -> list[Config]:
        return [
            {**config, NAME: number}
            for config in self.inner.enumerate_configs()
            for number in range(len(self.precisions))
        ]

    def relative_size(self, architecture: Architecture) -> float:
        return self.inner.relative_size(architecture)

    @property
    def smallest(self) -> Architecture:
        return self.inner.smallest

    @property
    def middle(self) -> Architecture:
        return self.inner.middle


def _without(config: Mapping[str, Any]) -> Config:
    return {name: value for name, value in config.items() if name != NAME}
