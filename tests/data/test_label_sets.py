"""Rows with several labels each."""

from __future__ import annotations

from typing import Any

import pytest

from compresskit.data.label_sets import find_label_columns, has_labels, holds_lists, read_sets
from compresskit.data.table import Table
from compresskit.errors import DataError

TEXTS = ["a b", "c", "d", None]
LISTS = Table.of({"text": TEXTS, "labels": [["x", "y", "x"], [], None, ["x"]]})
FLAGS = Table.of({"text": TEXTS, "rude": ["1", "0", "", "1"], "mild": ["0", "0", "1", "1"]}, is_typed=False)


def test_columns_are_found() -> None:
    assert find_label_columns(LISTS) == ("labels",)
    assert find_label_columns(FLAGS) == ("rude", "mild")
    assert find_label_columns(FLAGS, " mild, rude") == ("mild", "rude")
    assert find_label_columns(FLAGS, known=("mild", "rude", "other")) == ("mild", "rude")
    single = Table.of({"text": ["a"], "label": ["x"], "is_new": [0], "is_old": [1]})
    assert find_label_columns(single) == ("label",)  # the others are no labels
    assert find_label_columns(single, known=("is_new", "is_old")) == ("is_new", "is_old")
    with pytest.raises(
        DataError, match=r"no column of lists of labels, .*present: text \(text\)\. Name them"
    ):
        find_label_columns(Table.of({"text": ["a"]}))
    with pytest.raises(DataError, match="label column 'kind' is missing"):
        find_label_columns(FLAGS, "rude,kind")


def test_lists() -> None:
    found = read_sets("train", LISTS, ("text",), ("labels",))
    assert found.rows.texts == [("a b",), ("c",)]
    assert found.sets == [["x", "y"], []]
    assert (found.rows.numbers, found.rows.num_missing) == ([1, 2], 2)
    assert (found.flat.labels, found.flat.numbers) == (["x", "y"], [1, 1])
    assert list(found.values()) == [("a b", "x", "y"), ("c",)]
    assert holds_lists(LISTS, "labels") and not holds_lists(FLAGS, "rude")
    assert not holds_lists(Table.of({"spans": [[[0, 1, "x"]]]}), "spans")


def test_numbers_have_the_names_of_their_column() -> None:
    table = Table.of({"text": ["a"], "labels": [[1, 0]]}, class_names={"labels": ("no", "yes")})
    assert read_sets("train", table, ("text",), ("labels",)).sets == [["yes", "no"]]
    bare = Table.of({"text": ["a", "b"], "label": [2, "x"]})
    assert read_sets("train", bare, ("text",), ("label",)).sets == [[2], ["x"]]


def test_columns_of_0_and_1() -> None:
    found = read_sets("train", FLAGS, ("text",), ("rude", "mild"))
    assert found.sets == [["rude"], []]
    assert found.rows.numbers == [1, 2]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"labels": [["x"], [{}], ["y", None]]}, "column labels, rows 2, 3: a label"),
        ({"a": [1, 0, 2], "b": [0, -1, 1]}, "columns a, b, rows 2, 3: a value is neither 0 nor 1"),
        ({"labels": [None, None, None]}, "no row of the test split has a label in column 'labels'"),
    ],
)
def test_wrong_rows_are_named(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_sets("test", Table.of({"text": ["a", "b", "c"], **columns}), ("text",), tuple(columns))
    with pytest.raises(DataError, match="the test split has no column 'c'"):
        read_sets("test", LISTS, ("text",), ("c",))


def test_a_split_without_labels() -> None:
    assert has_labels(LISTS, ("labels",)) and has_labels(FLAGS, ("rude", "mild"))
    hidden: list[dict[str, list[Any]]] = [{"labels": [[], None]}, {"a": [-1, None], "b": [-1, -1]}]
    for columns in [*hidden, {"labels": [-1, -1]}]:
        assert not has_labels(Table.of(columns), tuple(columns))
