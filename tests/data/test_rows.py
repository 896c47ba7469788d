from __future__ import annotations

import pytest

from compresskit.data.rows import is_labelled, read_rows
from compresskit.data.table import Table
from compresskit.errors import DataError


def test_rows_without_text_or_label_are_left_out_and_counted() -> None:
    table = Table.of(
        {"a": ["x", " ", None, "y", "z"], "b": ["p", "q", "r", "s", "t"], "l": [1.0, 1, 1, None, 0]}
    )
    rows = read_rows("train", table, ("a", "b"), "l")
    assert rows.texts == [("x", "p"), ("z", "t")]
    assert rows.labels == [1, 0] and all(isinstance(label, int) for label in rows.labels)
    assert rows.numbers == [1, 5] and rows.num_missing == 3 and len(rows) == 2


def test_labels_become_plain_values() -> None:
    table = Table.of({"t": list("abc"), "l": [" pos ", "", "neg"]})
    assert read_rows("train", table, ("t",), "l").labels == ["pos", "neg"]
    table = Table.of({"t": list("ab"), "l": [True, False]})
    assert read_rows("train", table, ("t",), "l").labels == ["True", "False"]
    table = Table.of({"t": list("abc"), "l": [1.5, 2.0, float("nan")]})
    assert read_rows("train", table, ("t",), "l").labels == [1.5, 2]


def test_an_empty_split_is_refused() -> None:
    empty = Table.of({"t": [], "l": []})
    with pytest.raises(DataError, match="the test split is empty"):
        read_rows("test", empty, ("t",), "l")
    with pytest.raises(DataError, match="no row of the train split has a label"):
        read_rows("train", Table.of({"t": ["a"], "l": [None]}), ("t",), "l")
    with pytest.raises(DataError, match="has both a label"):
        read_rows("train", Table.of({"t": ["a", ""], "l": [None, 1]}), ("t",), "l")


def test_a_split_with_other_columns_is_refused() -> None:
    with pytest.raises(DataError, match="the test split has no column 't'; it has: text, l"):
        read_rows("test", Table.of({"text": ["a"], "l": [0]}), ("t",), "l")
    with pytest.raises(DataError, match="holds whole numbers, not text"):
        read_rows("test", Table.of({"t": [1], "l": [0]}), ("t",), "l")


def test_splits_without_labels() -> None:
    assert not is_labelled(Table.of({"t": ["a"]}), "l", [0, 1])
    assert not is_labelled(Table.of({"l": [-1, -1]}), "l", [0, 1])
    assert not is_labelled(Table.of({"l": [None, None]}), "l", [0, 1])
    assert is_labelled(Table.of({"l": [-1, -1]}), "l", [-1, 1])
    assert is_labelled(Table.of({"l": [0, None]}), "l", [0, 1])


def test_minus_one_among_class_names_is_a_missing_label() -> None:
    names = {"l": ("no", "yes")}
    rows = read_rows("train", Table.of({"t": list("abc"), "l": [-1, 0, 1]}, class_names=names), ("t",), "l")
    assert rows.labels == [0, 1] and rows.num_missing == 1
    assert not is_labelled(Table.of({"l": [-1, -1]}, class_names=names), "l", [-1, 1])


def test_class_names_in_another_order_than_in_training() -> None:
    table = Table.of({"t": list("abc"), "l": [0, 1, 2]}, class_names={"l": ("yes", "no", "maybe")})
    assert read_rows("test", table, ("t",), "l", ("no", "yes")).labels == [1, 0, "maybe"]
    assert read_rows("test", table, ("t",), "l", ()).labels == ["yes", "no", "maybe"]
    assert read_rows("test", table, ("t",), "l").labels == [0, 1, 2]


def test_csv_without_labels() -> None:
    assert not is_labelled(Table.of({"l": ["-1", "-1"]}, is_typed=False), "l", [0, 1])
    assert not is_labelled(Table.of({"l": ["", " "]}, is_typed=False), "l", [0, 1])
    assert is_labelled(Table.of({"l": ["-1", "-1"]}, is_typed=False), "l", [-1, 1])
