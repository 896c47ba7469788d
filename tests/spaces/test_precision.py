from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compresskit.architecture import Architecture, Candidate, Dimensions
from compresskit.errors import ArchitectureError, ConfigurationError
from compresskit.spaces import PrecisionSpace, Space, make_space
from tests.contracts.space import DIMS, SpaceContract


class TestPrecision(SpaceContract):
    name = "small"

    def make(self, dims: Dimensions = DIMS, **options: Any) -> PrecisionSpace:
        return PrecisionSpace(make_space(self.name, dims, **options), ["fp32", "int8"])

    def test_initial_configs_are_full_smallest_middle(self) -> None:
        inner = make_space(self.name, DIMS)
        assert [self.make().candidate(config) for config in self.make().initial_configs()] == [
            Candidate(architecture, precision)
            for architecture in (inner.full, inner.smallest, inner.middle)
            for precision in ("fp32", "int8")
        ]

    def test_candidates_come_back(self) -> None:
        space = self.make()
        rng = np.random.default_rng(0)
        found = [space.candidate(space.sample(rng)) for _ in range(40)]
        assert {candidate.precision for candidate in found} == {"fp32", "int8"}
        for candidate in found:
            assert space.candidate(space.config_of(candidate)) == candidate

    def test_mutation_changes_the_precision_or_the_architecture(self) -> None:
        space = self.make()
        rng = np.random.default_rng(0)
        config = space.initial_configs()[4]
        before = space.candidate(config)
        kinds = set()
        for _ in range(60):
            after = space.candidate(space.mutate(config, rng))
            kinds.add((after.precision != before.precision, after.architecture != before.architecture))
        assert kinds == {(True, False), (False, True)}

    def test_every_candidate_is_listed_once(self) -> None:
        space = self.make(unit_multiple=16)
        found = [space.candidate(config) for config in space.enumerate_configs()]
        assert len(found) == len(set(found)) == space.size == 2 * 6 * 4 * 2

    @pytest.mark.parametrize("name", ["ranked", "small", "medium", "large"])
    def test_a_candidate_of_another_run_keeps_its_precision_where_it_is_searched(self, name: str) -> None:
        inner = make_space(name, DIMS)
        both = PrecisionSpace(inner, ["fp32", "int8"])
        for precision, found in (("int8", "int8"), ("fp16", "fp32")):
            candidate = both.like(Candidate(inner.middle, precision))
            assert candidate == Candidate(inner.middle, found)
            assert both.candidate(both.config_of(candidate)) == candidate
        assert PrecisionSpace(inner, ["int8"]).like(Candidate(inner.middle)).precision == "int8"
        assert inner.like(Candidate(inner.middle, "int8")) == Candidate(inner.middle)

    def test_other_precisions_are_outside(self) -> None:
        space: Space = self.make()
        with pytest.raises(ArchitectureError, match=r"'fp16' is not searched.*fp32, int8"):
            space.config_of(Candidate(Architecture.full(DIMS), "fp16"))
        with pytest.raises(ArchitectureError, match="precision is 2; permitted: 0 to 1, for fp32, int8"):
            space.decode({**space.initial_configs()[0], "precision": 2})


@pytest.mark.parametrize(
    ("precisions", "message"), [(["int4"], "int4"), (["int8", "int8"], "different"), ([], "one or more")]
)
def test_precisions_must_be_known_and_different(precisions: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        PrecisionSpace(make_space("small", DIMS), precisions)
