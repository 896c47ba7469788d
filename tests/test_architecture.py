from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compresskit.architecture import Architecture, Candidate, Dimensions, Layer
from compresskit.blocks import OUTPUTS, BlockMatrix, BlockPlan
from compresskit.errors import ArchitectureError
from compresskit.kept import Kept

DIMS = Dimensions(num_layers=3, num_heads=4, head_size=8, num_units=16, hidden_size=32)


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    masks = draw(
        st.lists(
            st.tuples(st.integers(0, 2**4 - 1), st.integers(0, 2**16 - 1)), min_size=3, max_size=3
        ).filter(lambda rows: any(h or u for h, u in rows))
    )
    return Architecture(tuple(Layer(Kept(4, h), Kept(16, u)) for h, u in masks))


class TestKept:
    def test_prefix_is_a_count_in_json_and_scattered_members_a_hexadecimal_mask(self) -> None:
        assert Kept.first(12, 5).to_json() == 5
        assert Kept.of(12, [0, 4]).to_json() == "11"
        assert Kept.from_json(12, "11").indices == (0, 4)
        assert Kept.from_json(12, 5) == Kept.first(12, 5)

    def test_empty_and_full_are_prefixes(self) -> None:
        assert Kept(7, 0).to_json() == 0
        assert Kept.first(7, 7).to_json() == 7

    @pytest.mark.parametrize("value", [13, -1, "fffff", "xyz", True, 1.5, None])
    def test_impossible_values_raise(self, value: object) -> None:
        with pytest.raises(ArchitectureError):
            Kept.from_json(12, value)  # type: ignore[arg-type]

    def test_index_beyond_the_members_raises(self) -> None:
        with pytest.raises(ArchitectureError, match="permitted: 0 to 11"):
            Kept.of(12, [12])


class TestArchitecture:
    @given(architectures())
    def test_survives_json(self, architecture: Architecture) -> None:
        again = Architecture.from_json(json.loads(json.dumps(architecture.to_json())))
        assert again == architecture
        assert hash(again) == hash(architecture)

    @given(architectures())
    def test_signature_tells_shapes_and_nothing_else(self, architecture: Architecture) -> None:
        firsts = Architecture.of_counts(
            DIMS, [(layer.heads.count, layer.units.count) for layer in architecture.layers]
        )
        assert firsts.signature == architecture.signature

    def test_dropped_layers_do_not_show_in_the_signature(self) -> None:
        assert Architecture.uniform(DIMS, [0, 2], 2, 5).signature == "2x5,2x5"
        assert Architecture.uniform(DIMS, [1, 2], 2, 5).kept_layers == (1, 2)

    def test_is_small_as_json(self) -> None:
        base = Dimensions(num_layers=12, num_heads=12, head_size=64, num_units=3072, hidden_size=768)
        assert len(json.dumps(Architecture.full(base).to_json())) < 200

    def test_nothing_left_raises(self) -> None:
        with pytest.raises(ArchitectureError, match="no layer is left"):
            Architecture.of_counts(DIMS, [(0, 0)] * 3)

    def test_another_models_architecture_raises(self) -> None:
        other = Dimensions(num_layers=3, num_heads=2, head_size=16, num_units=16, hidden_size=32)
        with pytest.raises(ArchitectureError, match="does not fit a model of 3 layers, 2 heads"):
            Architecture.full(DIMS).check(other)

    def test_layers_that_do_not_exist_raise(self) -> None:
        with pytest.raises(ArchitectureError, match="0 to 2"):
            Architecture.uniform(DIMS, [3], 1, 1)

    def test_unknown_keys_raise(self) -> None:
        value = {**Architecture.full(DIMS).to_json(), "hidden": 8}
        with pytest.raises(ArchitectureError, match="hidden"):
            Architecture.from_json(value)


@pytest.mark.parametrize("has_blocks", [False, True])
def test_candidate_survives_json(has_blocks: bool) -> None:
    matrix = BlockMatrix(OUTPUTS, (4, 4), (Kept.of(8, [0, 2]), Kept.of(8, [5, 6])))
    plan = BlockPlan.of({"layer.0.up": matrix}) if has_blocks else None
    candidate = Candidate(Architecture.full(DIMS), "int8", plan)
    value = json.loads(json.dumps(candidate.to_json()))
    assert list(value) == ["architecture", "precision", "blocks"]
    assert Candidate.from_json({**value, "trial_id": 3}) == candidate


def test_candidate_of_a_value_without_blocks_has_none() -> None:
    value = {"architecture": Architecture.full(DIMS).to_json(), "precision": "fp16"}
    assert Candidate.from_json(value) == Candidate(Architecture.full(DIMS), "fp16")


def test_candidate_of_unknown_precision_raises() -> None:
    with pytest.raises(ArchitectureError, match="permitted: fp32, fp16, int8"):
        Candidate(Architecture.full(DIMS), "int4")


def test_dimensions_of_older_and_newer_runs() -> None:
    """Sizes with a default may be missing, and others may be there."""
    assert Dimensions.from_json(asdict(DIMS) | {"newer": 1}) == DIMS
    older = {name: value for name, value in asdict(DIMS).items() if not name.endswith("_parts")}
    assert Dimensions.from_json(older) == DIMS
    with pytest.raises(KeyError, match="num_units"):
        Dimensions.from_json({name: value for name, value in older.items() if name != "num_units"})
