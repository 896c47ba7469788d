from __future__ import annotations

import numpy as np

from compresskit.data.units import ROWS, units_of

TEXTS = [("a",), ("b",), ("a",), ("c",), ("b",)]


def test_rows_with_equal_texts_are_one_unit() -> None:
    units = units_of(TEXTS, "queries")
    assert units.first.tolist() == [0, 1, 3]
    assert units.of.tolist() == [0, 1, 0, 2, 1]
    assert units.rows(np.array([0, 2])).tolist() == [0, 2, 3]
    assert units.rows(np.array([], dtype=np.int64)).tolist() == []


def test_rows_are_units_of_their_own() -> None:
    units = units_of(TEXTS, ROWS)
    assert units.first.tolist() == units.of.tolist() == [0, 1, 2, 3, 4]
    assert units.rows(np.array([3, 1])).tolist() == [1, 3]
