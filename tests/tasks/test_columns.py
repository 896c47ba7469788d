from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from compresskit.errors import DataError
from compresskit.tasks.columns import find_label_column, find_text_columns


def table(**columns: Any) -> pa.Table:
    return pa.table(columns)


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


def test_dictionary_columns_count_as_what_they_hold() -> None:
    values = pa.table({"text": pa.array(["a", "b"]).dictionary_encode(), "label": [0, 1]})
    assert find_text_columns(values, "label") == ("text",)


def test_missing_columns_are_named_with_those_present() -> None:
    values = table(a=["x"], b=["y"], n=[1])
    with pytest.raises(DataError, match="no label column found among a, b, n.*--label-column"):
        find_label_column(values)
    with pytest.raises(DataError, match=r"column 'stars' is missing; columns present: a \(string\), b"):
        find_label_column(values, "stars")
    with pytest.raises(DataError, match=r"no text column found.*n \(int64\).*--text-column"):
        find_text_columns(values, "n")
    with pytest.raises(DataError, match="column 'c' is missing"):
        find_text_columns(values, "n", ["c"])


def test_mistyped_columns_are_refused() -> None:
    with pytest.raises(DataError, match="text column 'text' holds int64, not text"):
        find_text_columns(table(text=[1], label=[0]), "label")
    with pytest.raises(DataError, match="label column 'label' holds list"):
        find_label_column(table(text=["a"], label=[[1, 2]]))


@pytest.mark.parametrize("given", [["a", "a"], ["a", "b", "n"]])
def test_one_text_column_or_two(given: list[str]) -> None:
    with pytest.raises(DataError, match="one column, or two different ones"):
        find_text_columns(table(a=["x"], b=["y"], n=["z"]), "l", given)
