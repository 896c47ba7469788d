from __future__ import annotations

import json

import numpy as np
import pytest

from compresskit.blocks import INPUTS, OUTPUTS, BlockMatrix, BlockPlan, Partition
from compresskit.errors import ArchitectureError
from compresskit.kept import Kept


def test_widths_cover_the_dimension_that_is_cut() -> None:
    assert Partition(OUTPUTS, 3).widths((10, 7)) == (4, 3, 3)
    assert Partition(INPUTS, 2).widths((10, 7)) == (4, 3)
    with pytest.raises(ArchitectureError, match="11 blocks do not fit a dimension of 10"):
        Partition(OUTPUTS, 11).widths((10, 7))


@pytest.mark.parametrize(("axis", "blocks"), [("rows", 2), (OUTPUTS, 0)])
def test_a_partition_that_is_none_is_refused(axis: str, blocks: int) -> None:
    with pytest.raises(ArchitectureError, match="permitted"):
        Partition(axis, blocks)


@pytest.mark.parametrize("axis", [OUTPUTS, INPUTS])
def test_mask_and_structure_are_the_same_thing(axis: str) -> None:
    random = np.random.default_rng(0)
    shape = (9, 12)
    widths = Partition(axis, 3).widths(shape)
    wanted = np.zeros(shape, dtype=bool)
    start = 0
    for width in widths:  # written out by hand: one group after another
        for member in range(shape[1] if axis == OUTPUTS else shape[0]):
            if random.random() < 0.4:
                for i in range(start, start + width):
                    wanted[(i, member) if axis == OUTPUTS else (member, i)] = True
        start += width
    matrix = BlockMatrix.of_mask(wanted, axis, widths)
    assert matrix.shape == shape
    np.testing.assert_array_equal(matrix.mask(), wanted)
    assert matrix.num_params == wanted.sum()
    again = BlockMatrix.from_json(json.loads(json.dumps(matrix.to_json())))
    assert again == matrix and hash(again) == hash(matrix)


def test_a_block_without_width_is_left_out() -> None:
    mask = np.ones((4, 6), dtype=bool)
    assert BlockMatrix.of_mask(mask, OUTPUTS, (2, 0, 2)).widths == (2, 2)


def test_signature_says_shapes_and_gaps_but_not_members() -> None:
    def of(first: list[int], second: list[int]) -> str:
        return BlockMatrix(OUTPUTS, (4, 4), (Kept.of(8, first), Kept.of(8, second))).signature

    assert of([0, 1, 2], [5, 6]) == of([3, 4, 5], [0, 1]) == "o8:4x3+4x2"
    assert of([0, 2, 4], [5, 6]) == "o8:4x3s+4x2"


def test_plan_counts_what_it_holds_and_reads_itself_back() -> None:
    matrix = BlockMatrix(INPUTS, (3, 3), (Kept.of(5, [0, 4]), Kept.of(5, [1])))
    plan = BlockPlan.of({"b": matrix, "a": matrix})
    assert [name for name, _ in plan.items()] == ["a", "b"]
    assert (plan.num_params, plan.dense_params, plan.index_bytes) == (18, 60, 24)
    assert BlockPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert plan.signature == BlockPlan.of({"a": matrix, "b": matrix}).signature
    assert plan.signature != BlockPlan.of({"a": matrix}).signature


def test_damaged_structures_are_refused() -> None:
    with pytest.raises(ArchitectureError, match="keys"):
        BlockMatrix.from_json({"axis": OUTPUTS})
    with pytest.raises(ArchitectureError, match="2 blocks list kept members 1 times"):
        BlockMatrix(OUTPUTS, (2, 2), (Kept.first(3, 1),))
