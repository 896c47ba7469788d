from __future__ import annotations

from typing import Any

import pytest

from compresskit.data.columns import find_label_column, find_text_columns
from compresskit.data.table import Table
from compresskit.errors import DataError


def table(**columns: Any) -> Table:
    return Table.of(columns)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["idx", "sentence"], ("sentence",)),
        (["Text"], ("Text",)),
        (["sentence2", "sentence1"], ("sentence1", "sentence2")),
        (["hypothesis", "premise"], ("premise", "hypothesis")),
        (["question", "sentence"], ("question", "sentence")),
        (["question"], ("question",)),
        (["body"], ("body",)),
    ],
)
def test_text_columns_are_found_by_name(names: list[str], found: tuple[str, ...]) -> None:
    values = table(**{name: [1] if name == "idx" else ["a"] for name in names}, label=[0])
    assert find_text_columns(values, "label") == found


@pytest.mark.parametrize("name", ["label", "Labels", "target", "score"])
def test_the_label_column_is_found_by_name(name: str) -> None:
    assert find_label_column(table(text=["a"], **{name: [1]})) == name


def test_columns_named_by_the_user_come_first() -> None:
    values = table(text=["a"], other=["b"], label=[0], stars=[3])
    assert find_label_column(values, "stars") == "stars"
    assert find_text_columns(values, "stars", ["other", "text"]) == ("other", "text")


def test_in_csv_what_looks_like_numbers_is_no_text_unless_it_is_named_so() -> None:
    columns = {"id": ["1", "2"], "when": ["2024-01-02", ""], "ok": ["true", "False"], "body": ["a", "3"]}
    written = Table.of({**columns, "label": ["x", "y"]}, is_typed=False)
    assert find_text_columns(written, "label") == ("body",)
    assert find_text_columns(written, "label", ["id"]) == ("id",)
    assert find_text_columns(Table.of({"text": ["001"], "l": ["1"]}, is_typed=False), "l") == ("text",)


def test_missing_columns_are_named_with_those_present() -> None:
    values = table(a=["x"], b=["y"], n=[1])
    with pytest.raises(DataError, match="no label column found; columns present: a, b, n;.*--label-column"):
        find_label_column(values)
    with pytest.raises(DataError, match=r"column 'stars' is missing; columns present: a \(text\), b"):
        find_label_column(values, "stars")
    with pytest.raises(DataError, match=r"no text column found.*n \(whole numbers\).*--text-column"):
        find_text_columns(values, "n")
    with pytest.raises(DataError, match="column 'c' is missing"):
        find_text_columns(values, "n", ["c"])


def test_mistyped_columns_are_refused() -> None:
    with pytest.raises(DataError, match="text column 'text' holds whole numbers, not text"):
        find_text_columns(table(text=[1], label=[0]), "label")
    with pytest.raises(DataError, match="label column 'label' holds lists"):
        find_label_column(table(text=["a"], label=[[1, 2]]))


@pytest.mark.parametrize("given", [["a", "a"], ["a", "b", "n"]])
def test_one_text_column_or_two(given: list[str]) -> None:
    with pytest.raises(DataError, match="one column, or two different ones"):
        find_text_columns(table(a=["x"], b=["y"], n=["z"]), "l", given)
