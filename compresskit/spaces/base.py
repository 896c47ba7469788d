"""What every search space is: integer parameters, and their two-way map to architectures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, ClassVar

import numpy as np

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.errors import ArchitectureError, ConfigurationError, one_of
from compresskit.spaces.parameter import Config, Parameter, PartScores, Scores
from compresskit.spaces.policies import DEFAULT_LAYER_POLICY, LAYER_POLICIES

LEAST_SIZE = 1 / 64  # of the relative sizes that are drawn as ratios


class Space(ABC):
    """A set of architectures of one model, each written as a configuration of integers.

    Contract (see the contract suite in the tests):
    - `decode` gives an architecture with at least one layer for every configuration within
      `parameters`. Where a configuration would keep nothing at all it is repaired: it means
      the smallest architecture. Values outside raise ArchitectureError.
    - `encode` is the inverse on every architecture that `decode` gives, and raises
      ArchitectureError for those outside the space. `canonical` is the one configuration of an
      architecture that several configurations may mean.
    - `sample` takes the relative size first, by default uniform in [0, 1], then the parts, so that
      no space clusters near half size; equal generators give equal configurations.
    - `initial_configs` are full, smallest and middle, in this order.
    """

    name: ClassVar[str]
    # False where a configuration is thousands of bits that say no more than the architecture.
    is_compact: ClassVar[bool] = True

    def __init__(
        self, dims: Dimensions, *, layer_policy: str = DEFAULT_LAYER_POLICY, unit_multiple: int = 1
    ) -> None:
        if layer_policy not in LAYER_POLICIES:
            raise ConfigurationError(one_of("layer policy", layer_policy, LAYER_POLICIES))
        if unit_multiple < 1 or dims.num_units % unit_multiple:
            divisors = [n for n in (1, 8, 16, 32, 64, 128, 256) if dims.num_units % n == 0]
            raise ConfigurationError(
                f"units cannot be aligned to multiples of {unit_multiple}; permitted: divisors of the "
                f"model's {dims.num_units} units, such as {', '.join(map(str, divisors))}."
            )
        self.dims = dims
        self.layer_policy = layer_policy
        self.unit_multiple = unit_multiple

    @cached_property
    @abstractmethod
    def parameters(self) -> tuple[Parameter, ...]:
        """The integers that a configuration names, in order."""

    @abstractmethod
    def _build(self, config: Mapping[str, int]) -> Architecture | None:
        """The architecture of a valid configuration; None where it would keep nothing."""

    @abstractmethod
    def encode(self, architecture: Architecture) -> Config:
        """The configuration of `architecture`. Raises ArchitectureError when it is not in the space."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, size: float | None = None) -> Config:
        """A random configuration of about this relative size; without one it is drawn in (0, 1]."""

    def sample_ratio(self, rng: np.random.Generator) -> Config:
        """A random configuration whose size is drawn uniformly in its logarithm, down to `LEAST_SIZE`.

        Latency counts as a ratio: half of the even draws are slower than twice the dense speed.
        """
        return self.sample(rng, float(np.exp(rng.uniform(np.log(LEAST_SIZE), 0.0))))

    @property
    @abstractmethod
    def smallest(self) -> Architecture:
        """The lower bound: one layer, with as little in it as the space permits."""

    @property
    @abstractmethod
    def middle(self) -> Architecture:
        """Half of everything."""

    @property
    def full(self) -> Architecture:
        return Architecture.full(self.dims)

    @cached_property
    def _parameter_names(self) -> frozenset[str]:
        return frozenset(parameter.name for parameter in self.parameters)

    @cached_property
    def size(self) -> int:
        """How many configurations there are."""
        return prod(parameter.count for parameter in self.parameters)

    def config_space(self) -> dict[str, Any]:
        """The parameters as Syne Tune domains; those with one value only as that value."""
        return {parameter.name: parameter.domain() for parameter in self.parameters}

    def decode(self, config: Mapping[str, Any]) -> Architecture:
        """The architecture that `config` means. Raises ArchitectureError when it is not in the space."""
        if config.keys() != self._parameter_names:
            raise ArchitectureError(
                f"configuration has {sorted(config)[:8]}; space {self.name} has "
                f"{[p.name for p in self.parameters][:8]} ({len(self.parameters)} parameters)."
            )
        self._check_values(config)
        return self._build({name: int(value) for name, value in config.items()}) or self.smallest

    def _check_values(self, config: Mapping[str, Any]) -> None:
        for p in self.parameters:
            if config[p.name] not in p:
                raise ArchitectureError(
                    f"{p.name} is {config[p.name]!r}; permitted in space {self.name}: {p.lower} to {p.upper}"
                    + (f" in steps of {p.step}." if p.step > 1 else ".")
                )

    def canonical(self, config: Mapping[str, Any]) -> Config:
        """The one configuration of the architecture that `config` means."""
        return self.encode(self.decode(config))

    @cached_property
    def initial_architectures(self) -> tuple[Architecture, ...]:
        """Where every search starts: full, smallest, middle (Klein et al., section 4), each once."""
        return tuple(dict.fromkeys((self.full, self.smallest, self.middle)))

    def candidate(self, config: Mapping[str, Any]) -> Candidate:
        """What `config` asks to be evaluated: its architecture, in fp32 unless the space says otherwise."""
        return Candidate(self.decode(config))

    def config_of(self, candidate: Candidate) -> Config:
        """The configuration of `candidate`. Raises ArchitectureError when it is not in the space."""
        return self.encode(candidate.architecture)

    def like(self, candidate: Candidate) -> Candidate:
        """What means the same in this space as `candidate` in another model's of its kind.

        Raises ArchitectureError when the space has nothing of the sort.
        """
        return self.candidate(self.config_of(candidate))

    def with_scores(self, heads: Scores, units: Scores) -> Space:
        """The space of a model whose members matter so; this one where that does not shape it.

        `heads`: (num_layers, num_heads), `units`: (num_layers, num_units); scores fall within a layer.
        """
        return self

    def in_parts(self, orders: Sequence[PartScores]) -> Space:
        """The space of a super-network in parts, each in an order of its own; this one where that is all one.

        `orders` are those of the smaller parts, the largest of them first.
        """
        return self

    @cached_property
    def initial_candidates(self) -> tuple[Candidate, ...]:
        return tuple(Candidate(architecture) for architecture in self.initial_architectures)

    def initial_configs(self) -> list[Config]:
        return [self.config_of(candidate) for candidate in self.initial_candidates]

    def sample_architecture(self, rng: np.random.Generator) -> Architecture:
        return self.decode(self.sample(rng))

    def mutate(self, config: Mapping[str, int], rng: np.random.Generator) -> Config:
        """`config` with one parameter changed to another random value."""
        varying = [p for p in self.parameters if p.count > 1]
        result = dict(config)
        if varying:
            p = varying[int(rng.integers(len(varying)))]
            current = (config[p.name] - p.lower) // p.step
            index = int(rng.integers(p.count - 1))
            result[p.name] = p.value(index + (index >= current))
        return self.canonical(result)

    def enumerate_configs(self) -> list[Config]:
        """Every configuration, canonical and once; for small spaces."""
        values = [[p.value(i) for i in range(p.count)] for p in self.parameters]
        names = [p.name for p in self.parameters]
        found = (self.decode(dict(zip(names, row, strict=True))) for row in product(*values))
        return [self.encode(architecture) for architecture in dict.fromkeys(found)]

    def relative_size(self, architecture: Architecture) -> float:
        """Weights in kept heads and units relative to the full architecture's, in (0, 1]."""
        return architecture.relative_size(self.dims)

    @property
    def _attention_share(self) -> float:
        """What all heads of a layer are of its weights."""
        return self.dims.num_heads * self.dims.head_weight / self.dims.layer_weight

    def _aligned(self, share: float, layers: int = 1) -> int:
        """The permitted number of units nearest to a share of all in so many layers."""
        steps = layers * self.dims.num_units // self.unit_multiple
        return round(share * steps) * self.unit_multiple

    def _check_is(self, architecture: Architecture, config: Config) -> Config:
        """`config` if it means `architecture`, so that nothing outside the space is encoded."""
        architecture.check(self.dims)
        inside = all(config[p.name] in p for p in self.parameters)
        if not inside or self.decode(config) != architecture:
            raise ArchitectureError(
                f"architecture {architecture.to_json()} is not in space {self.name} "
                f"(layer policy {self.layer_policy}, units in multiples of {self.unit_multiple})."
            )
        return config
