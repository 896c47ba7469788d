from __future__ import annotations

import pyarrow as pa
import pytest

from compresskit.errors import DataError
from compresskit.tasks.rows import is_labelled, read_rows


def test_rows_without_text_or_label_are_left_out_and_counted() -> None:
    table = pa.table(
        {"a": ["x", " ", None, "y", "z"], "b": ["p", "q", "r", "s", "t"], "l": [1.0, 1, 1, None, 0]}
    )
    rows = read_rows("train", table, ("a", "b"), "l")
    assert rows.texts == [("x", "p"), ("z", "t")]
    assert rows.labels == [1, 0] and all(isinstance(label, int) for label in rows.labels)
    assert rows.numbers == [1, 5] and rows.num_missing == 3 and len(rows) == 2


def test_labels_become_plain_values() -> None:
    table = pa.table({"t": list("abc"), "l": [" pos ", "", "neg"]})
    assert read_rows("train", table, ("t",), "l").labels == ["pos", "neg"]
    table = pa.table({"t": list("ab"), "l": [True, False]})
    assert read_rows("train", table, ("t",), "l").labels == ["True", "False"]
    table = pa.table({"t": list("abc"), "l": [1.5, 2.0, float("nan")]})
    assert read_rows("train", table, ("t",), "l").labels == [1.5, 2]


def test_an_empty_split_is_refused() -> None:
    empty = pa.table({"t": pa.array([], pa.string()), "l": pa.array([], pa.int64())})
    with pytest.raises(DataError, match="the test split is empty"):
        read_rows("test", empty, ("t",), "l")
    with pytest.raises(DataError, match="no row of the train split has a label"):
        read_rows("train", pa.table({"t": ["a"], "l": pa.nulls(1)}), ("t",), "l")
    with pytest.raises(DataError, match="has both a label"):
        read_rows("train", pa.table({"t": ["a", ""], "l": [None, 1]}), ("t",), "l")


def test_a_split_with_other_columns_is_refused() -> None:
    with pytest.raises(DataError, match="the test split has no column 't'; it has: text, l"):
        read_rows("test", pa.table({"text": ["a"], "l": [0]}), ("t",), "l")
    with pytest.raises(DataError, match="holds int64, not text"):
        read_rows("test", pa.table({"t": [1], "l": [0]}), ("t",), "l")


def test_splits_without_labels() -> None:
    assert not is_labelled(pa.table({"t": ["a"]}), "l", [0, 1])
    assert not is_labelled(pa.table({"l": [-1, -1]}), "l", [0, 1])
    assert not is_labelled(pa.table({"l": pa.nulls(2)}), "l", [0, 1])
    assert is_labelled(pa.table({"l": [-1, -1]}), "l", [-1, 1])
    assert is_labelled(pa.table({"l": [0, None]}), "l", [0, 1])
