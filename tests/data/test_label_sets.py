"""Rows with several labels each."""

from __future__ import annotations

import re
from typing import Any

import pytest

from compresskit.data.label_sets import check_joined, find_label_columns, has_labels, holds_lists, read_sets
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


def test_lists_may_have_0_or_1_for_each_label() -> None:
    table = Table.of({"text": ["a", "b", "c"], "labels": [[0.0, 1.0, 1.0], [0, 0, 0], [1, 0, 0]]})
    assert read_sets("train", table, ("text",), ("labels",)).sets == [[1, 2], [], [0]]
    named = Table.of(table.columns, class_names={"labels": ("x", "y", "z")})
    assert read_sets("train", named, ("text",), ("labels",)).sets == [["y", "z"], [], ["x"]]
    numbers = Table.of({"text": ["a", "b"], "labels": [[0, 1], [1, 0]]})  # two labels of each row
    assert read_sets("train", numbers, ("text",), ("labels",)).sets == [[0, 1], [1, 0]]


@pytest.mark.parametrize("is_typed", [True, False])
def test_lists_written_as_text_are_none(is_typed: bool) -> None:
    columns = {"text": ["a", "b"], "labels": ["['x', 'y']", "[]"]}
    with pytest.raises(DataError, match="column labels: lists are written as text.*JSON lines or parquet"):
        read_sets("train", Table.of(columns, is_typed=is_typed), ("text",), ("labels",))
    columns["labels"][1] = "x"  # then it is a name
    sets = read_sets("train", Table.of(columns, is_typed=is_typed), ("text",), ("labels",)).sets
    assert sets == [["['x', 'y']"], ["x"]]


def test_rows_without_labels_have_minus_1_in_every_column() -> None:
    """As in the test file of Jigsaw's toxic comments."""
    columns: dict[str, list[Any]] = {"text": ["a", "b", "c"], "rude": [1, -1, 0], "mild": [0, -1, 1]}
    for table in (
        Table.of(columns),
        Table.of({name: [*map(str, rows)] for name, rows in columns.items()}, is_typed=False),
    ):
        found = read_sets("test", table, ("text",), find_label_columns(table, known=("rude", "mild")))
        assert (found.sets, found.rows.num_missing) == ([["rude"], ["mild"]], 1)
        with pytest.raises(DataError, match="no columns of 0 and 1"):
            find_label_columns(table)  # -1, 0 and 1 may be grades


def test_a_column_with_minus_1_among_columns_of_0_and_1_is_named() -> None:
    flags: dict[str, list[Any]] = {"text": ["a", "b"], "rude": [1, 0], "mild": [0, 1], "odd": [-1, 1]}
    with pytest.raises(DataError, match="odd hold -1 too"):
        find_label_columns(Table.of(flags))
    assert find_label_columns(Table.of(flags), known=("rude", "mild")) == ("rude", "mild")


@pytest.mark.parametrize("mark", [",", "|", ";", ", "])
def test_labels_with_marks_between_are_refused(mark: str) -> None:
    labels = [mark.join(held) for held in (["a", "b"], ["b"], ["a", "c"], ["c"], ["b", "c"], ["a"])]
    table = Table.of({"text": ["t"] * 6, "labels": labels}, is_typed=False)
    with pytest.raises(DataError, match=f"labels such as 'a{re.escape(mark)}b' seem to be several"):
        check_joined(read_sets("train", table, ("text",), ("labels",)))


def test_a_label_may_hold_a_comma() -> None:
    labels = ["arts, crafts", "sports", "music", "sports", "arts, crafts", "food"]
    table = Table.of({"text": ["t"] * 6, "labels": labels})
    check_joined(read_sets("train", table, ("text",), ("labels",)))


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
