from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.errors import ArchitectureError
from compresskit.spaces import PrecisionSpace, RankedSpace, Ranking, Space
from tests.contracts.space import DIMS, SpaceContract

RNG = np.random.default_rng(7)
SCORES = (
    -np.sort(-RNG.exponential(size=(DIMS.num_layers, DIMS.num_heads)), axis=1),
    -np.sort(-RNG.exponential(size=(DIMS.num_layers, DIMS.num_units)), axis=1),
)


class TestRanked(SpaceContract):
    name = "ranked"

    def make(self, dims: Dimensions = DIMS, **options: Any) -> Space:
        return super().make(dims, **options).with_scores(*SCORES)

    def test_mutation_at_the_ends_changes_something(self) -> None:
        space, rng = self.make(), np.random.default_rng(0)
        for candidate in space.initial_candidates:
            config = space.config_of(candidate)
            assert all(space.mutate(config, rng) != config for _ in range(50))

    def test_one_of_each_layer_stays_and_the_best_of_all_others(self) -> None:
        architecture = self.make().decode({"heads": 9, "units": 40})
        for kind, scores, count in (("heads", SCORES[0], 9), ("units", SCORES[1], 40)):
            counts = [getattr(layer, kind).count for layer in architecture.layers]
            others = np.argsort(-scores[:, 1:], axis=None)[: count - DIMS.num_layers] // (scores.shape[1] - 1)
            assert counts == (1 + np.bincount(others, minlength=DIMS.num_layers)).tolist()

    def test_more_of_both_holds_what_less_of_both_has(self) -> None:
        space = self.make(unit_multiple=8)
        small, large = (space.decode({"heads": h, "units": u}) for h, u in ((7, 64), (15, 104)))
        for less, more in zip(small.layers, large.layers, strict=True):
            assert less.heads.mask & more.heads.mask == less.heads.mask
            assert less.units.mask & more.units.mask == less.units.mask

    def test_a_layer_of_which_nothing_is_left_is_dropped(self) -> None:
        space = RankedSpace(
            Dimensions(2, 2, 4, 2, 8), ranking=Ranking(heads=(1, 1, 0, 0), units=(1, 1, 0, 0))
        )
        assert space.decode({"heads": 2, "units": 1}).kept_layers == (1,)

    def test_architectures_of_another_ranking_are_outside(self) -> None:
        other = RankedSpace(DIMS).decode({"heads": 5, "units": 40})
        with pytest.raises(ArchitectureError, match="space ranked"):
            self.make().encode(other)

    def test_alike_is_what_has_as_many_heads_and_units(self) -> None:
        space = self.make(unit_multiple=8)
        other = Candidate(Architecture.uniform(DIMS, [0, 5], 2, 30))
        assert space.config_of(space.like(other)) == {"heads": 4, "units": 64}

    def test_precisions_go_with_it(self) -> None:
        space = PrecisionSpace(RankedSpace(DIMS), ["fp32", "int8"]).with_scores(*SCORES)
        other = Candidate(Architecture.uniform(DIMS, [0, 5], 2, 30), "int8")
        assert space.like(other).precision == "int8"
        assert space.like(other).architecture == self.make().like(other).architecture

    def test_a_ranking_of_another_model_is_refused(self) -> None:
        with pytest.raises(ValueError, match="24 heads"):
            RankedSpace(DIMS, ranking=Ranking.even(Dimensions(2, 2, 4, 2, 8), 1))

    def test_parts_have_orders_of_their_own_below_their_size(self) -> None:
        space = self.make(unit_multiple=8)
        heads_of, units_of = SCORES
        others = [
            (np.flip(heads_of, axis=0), np.flip(units_of, axis=0)),
            (np.roll(heads_of, 1, axis=0), np.roll(units_of, 1, axis=0)),
        ]
        parts = space.in_parts([(0.5, *others[0]), (0.2, *others[1])])
        largest = DIMS.num_layers * DIMS.num_heads
        for heads, alone in ((largest - 3, space), (7, space.with_scores(*others[0]))):
            config = space.canonical({"heads": heads, "units": 8 * heads})
            assert parts.decode(config) == alone.decode(config)
            assert parts.encode(parts.decode(config)) == config
        tiny = {"heads": 2, "units": 8}
        assert parts.relative_size(parts.decode(tiny)) < 0.2
        assert parts.decode(tiny) == space.with_scores(*others[1]).decode(tiny)
        mixed = PrecisionSpace(space, ("fp32", "int8")).in_parts([(0.5, *others[0])])
        assert mixed.decode({**tiny, "precision": 1}) == space.with_scores(*others[0]).decode(tiny)
