"""RANKED: a number of heads and one of units for the whole net; where they lie, one ranking says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.spaces.base import Space
from compresskit.spaces.parameter import Config, Parameter, PartScores, Scores
from compresskit.spaces.policies import DEFAULT_LAYER_POLICY
from compresskit.spaces.ranking import Ranking

HEADS = 0.5, 1.5  # share of them in draws, relative to the size: beyond it units or heads starve


class RankedSpace(Space):
    """`heads` and `units` of all layers together, each from 0; the most important of all stay.

    Layers differ in width, and one of which nothing is left is dropped; that takes fewer heads and fewer
    groups of units than there are layers. Of two architectures one lies within the other wherever it has
    no more of both, so that shared weights are asked for little that differs. Without a `ranking` layers
    take turns. `smaller` has rankings of their own for networks below a relative size, the largest size
    first: those of a super-network in parts. (Heads of all layers in one order and units in another are how
    Kwon et al. 2022, arXiv 2204.09656, algorithm 1, choose masks.)
    """

    name = "ranked"

    def __init__(
        self,
        dims: Dimensions,
        *,
        layer_policy: str = DEFAULT_LAYER_POLICY,
        unit_multiple: int = 1,
        ranking: Ranking | None = None,
        smaller: Sequence[tuple[float, Ranking]] = (),
    ) -> None:
        super().__init__(dims, layer_policy=layer_policy, unit_multiple=unit_multiple)
        self.ranking = ranking or Ranking.even(dims, unit_multiple)
        self.smaller = tuple(smaller)
        # By heads and units: a training draws the same small networks again and again.
        self._built: dict[tuple[int, int], Architecture] = {}
        wanted = (dims.num_layers * dims.num_heads, dims.num_layers * dims.num_units // unit_multiple)
        if (len(self.ranking.heads), len(self.ranking.units)) != wanted:
            raise ValueError(f"the ranking is not one of {wanted[0]} heads and {wanted[1]} groups of units")

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        dims, multiple = self.dims, self.unit_multiple
        return (
            Parameter("heads", 0, dims.num_layers * dims.num_heads),
            Parameter("units", 0, dims.num_layers * dims.num_units, multiple),
        )

    def _build(self, config: Mapping[str, int]) -> Architecture | None:
        key = (config["heads"], config["units"])
        if not any(key):
            return None
        if key not in self._built:
            self._built[key] = self._new(config)
        return self._built[key]

    def _new(self, config: Mapping[str, int]) -> Architecture:
        built = self._ranked_by(self.ranking, config)
        for below, ranking in self.smaller:  # every ranking makes a network of the same size
            if built.relative_size(self.dims) < below:
                built = self._ranked_by(ranking, config)
        return built

    def _ranked_by(self, ranking: Ranking, config: Mapping[str, int]) -> Architecture:
        heads = Counter(ranking.heads[: config["heads"]])
        groups = Counter(ranking.units[: config["units"] // self.unit_multiple])
        counts = [(heads[i], groups[i] * self.unit_multiple) for i in range(self.dims.num_layers)]
        return Architecture.of_counts(self.dims, counts)

    def encode(self, architecture: Architecture) -> Config:
        return self._check_is(architecture, self._totals(architecture))

    def like(self, candidate: Candidate) -> Candidate:
        """As many heads and units in all, units rounded to the multiple, where this ranking has them."""
        return self.candidate(self._totals(candidate.architecture))

    def with_scores(self, heads: Scores, units: Scores) -> RankedSpace:
        ranking = Ranking.of_scores(heads, units, self.unit_multiple)
        return RankedSpace(
            self.dims, layer_policy=self.layer_policy, unit_multiple=self.unit_multiple, ranking=ranking
        )

    def in_parts(self, orders: Sequence[PartScores]) -> RankedSpace:
        smaller = [
            (below, Ranking.of_scores(heads, units, self.unit_multiple)) for below, heads, units in orders
        ]
        return RankedSpace(
            self.dims,
            layer_policy=self.layer_policy,
            unit_multiple=self.unit_multiple,
            ranking=self.ranking,
            smaller=smaller,
        )

    def mutate(self, config: Mapping[str, int], rng: np.random.Generator) -> Config:
        """`config` with one of its numbers changed, to twice or half of it at most."""
        p, other = (self.parameters[i] for i in rng.permutation(2))
        least = 0 if config[other.name] else 1  # nothing at all is no network
        before = (config[p.name] - p.lower) // p.step
        after = round(max(before, 1) * float(np.exp(rng.uniform(-np.log(2), np.log(2)))))
        if after == before:
            after += 1 if rng.uniform() < 0.5 else -1
        inside = min(max(after, least), p.count - 1)
        if inside == before:  # at an end
            inside += 1 if before == least else -1
        return self.canonical({**config, p.name: p.value(inside)})

    def _totals(self, architecture: Architecture) -> Config:
        heads, units = (sum(counts) for counts in zip(*architecture.shapes, strict=True))
        return {"heads": heads, "units": round(units / self.unit_multiple) * self.unit_multiple}

    @property
    def smallest(self) -> Architecture:
        """The best head and nothing else."""
        return self.decode({"heads": 1, "units": 0})

    @property
    def middle(self) -> Architecture:
        return self.decode(
            {"heads": -(-self.parameters[0].upper // 2), "units": self._aligned(0.5, self.dims.num_layers)}
        )

    def sample(self, rng: np.random.Generator, size: float | None = None) -> Config:
        return self.canonical(self._drawn(rng, size))

    def sample_architecture(self, rng: np.random.Generator) -> Architecture:
        """Without a look at its configuration: a training draws hundreds of thousands."""
        return self._build(self._drawn(rng, None)) or self.smallest

    def _drawn(self, rng: np.random.Generator, size: float | None) -> Config:
        """Heads at HEADS times the relative size, or one a layer more; what they leave goes to units."""
        size = rng.uniform() if size is None else size
        most, attention = self.parameters[0].upper, self._attention_share
        least = max(HEADS[0] * size, (size - (1 - attention)) / attention)
        largest = min(1.0, HEADS[1] * size + 1 / self.dims.num_heads, size / attention)
        heads = round(rng.uniform(least, max(least, largest)) * most)
        share = min(max((size - attention * heads / most) / (1 - attention), 0.0), 1.0)
        return {"heads": heads, "units": self._aligned(share, self.dims.num_layers)}
