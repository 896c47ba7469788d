from __future__ import annotations

from typing import Any

import pytest

from compresskit.data.ranked import (
    RankedLayout,
    RankedRows,
    find_layout,
    has_relevance,
    layout_of,
    read_ranked,
    unfolded,
)
from compresskit.data.table import Table
from compresskit.errors import DataError

PAIRS = [("q", "a"), ("q", "b"), ("r", "c")]


def read(columns: dict[str, list[Any]], *, labelled: bool = True, **options: Any) -> RankedRows:
    table = unfolded(Table.of(columns, **options))
    return read_ranked("train", table, layout_of(table, (), None), labelled=labelled)


@pytest.mark.parametrize(
    "columns",
    [
        {"query": ["q", "q", "r"], "passage": ["a", "b", "c"], "label": [1, 0, 2]},
        {"question": ["q", "q", "r"], "document": ["a", "b", "c"], "relevance": [1.0, 0.0, 2.0]},
        {"sentence1": ["q", "q", "r"], "sentence2": ["a", "b", "c"], "label": ["1", "0", "2"]},
        {"query": ["q", "r"], "passages": [["a", "b"], ["c"]], "labels": [[1, 0], [2]]},
        {
            "query": ["q", "r"],
            "passages": [
                {"passage_text": ["a", "b"], "is_selected": [1, 0]},
                {"passage_text": ["c"], "is_selected": [2]},
            ],
        },
    ],
)
def test_layouts_of_the_field(columns: dict[str, list[Any]]) -> None:
    rows = read(columns)
    assert rows.pairs == PAIRS
    assert rows.relevance == [1.0, 0.0, 2.0]
    assert rows.note is None


@pytest.mark.parametrize(
    "columns",
    [
        {"query": ["q", "r"], "pos": [["a"], ["c"]], "neg": [["b"], []]},
        {"query": ["q", "r"], "positive": ["a", "c"], "negatives": [["b"], []]},
        {"anchor": ["q", "r"], "positive": ["a", "c"], "negative_1": ["b", "d"], "negative_2": ["e", "f"]},
    ],
)
def test_positives_and_negatives(columns: dict[str, list[Any]]) -> None:
    rows = read(columns)
    found = dict(zip(rows.pairs, rows.relevance or [], strict=True))
    assert {pair for pair, gain in found.items() if gain} == {("q", "a"), ("r", "c")}
    assert found["q", "b"] == 0


def test_labels_may_be_truths_and_csv_is_read_as_numbers() -> None:
    columns: dict[str, list[Any]] = {
        "query": ["q"] * 3,
        "passage": ["a", "b", "c"],
        "label": [True, False, True],
    }
    assert read(columns).relevance == [1, 0, 1]
    columns["label"] = ["1.0", "0", "0.5"]
    assert read(columns, is_typed=False).relevance == [1, 0, 0.5]


def test_what_lacks_a_text_or_label_is_left_out() -> None:
    rows = read({"query": ["q", None, "r", "r"], "passage": ["a", "b", " ", "c"], "label": [1, 1, 0, None]})
    assert rows.pairs == [("q", "a")]
    assert rows.note == "3 of 4 passages of the train split lack a text or label and were dropped"
    rows = read({"query": ["q", "q", "r"], "passage": ["a", "b", "c"], "label": [1, -1, 0]})
    assert rows.pairs == [("q", "a"), ("r", "c")]
    assert rows.note == "1 of 3 passages of the train split lack a text or label and were dropped"
    rows = read({"query": ["q", "r"], "passages": [["a", "b"], []], "labels": [[1, 0], []]})
    assert rows.note == "1 of 3 passages of the train split lack a text or label and were dropped"


@pytest.mark.parametrize(
    ("columns", "known"),
    [
        ({"query": ["q"], "passage": ["a"]}, False),
        ({"query": ["q"], "passage": ["a"], "label": [None]}, False),
        ({"query": ["q"], "passage": ["a"], "label": [-1]}, False),
        ({"query": ["q"], "passages": [["a"]], "labels": [[0]]}, True),
        ({"query": ["q"], "pos": [["a"]], "neg": [["b"]]}, True),
    ],
)
def test_which_tables_are_labelled(columns: dict[str, list[Any]], known: bool) -> None:
    table = Table.of(columns)
    layout = find_layout(table)
    assert layout is not None and has_relevance(table, layout) is known
    if not known:
        assert read(columns, labelled=False).relevance is None


def test_columns_may_be_named() -> None:
    table = Table.of({"a": ["q"], "b": ["p"], "c": [1], "label": [0]})
    assert find_layout(table) is None
    assert find_layout(table, ("a", "b"), "c") == RankedLayout("a", ("b",), "c")
    with pytest.raises(DataError, match="a reranker reads two"):
        layout_of(table, ("a",), None)
    with pytest.raises(DataError, match="column 'd' is missing"):
        layout_of(table, ("a", "b"), "d")
    with pytest.raises(DataError, match="no queries with passages found; columns present: text"):
        layout_of(Table.of({"text": ["q"], "label": [1]}), (), None)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"query": ["q", "q"], "passage": ["a", "b"], "label": [1, "good"]},
            "row 2: a label is neither a number from 0 nor true or false",
        ),
        ({"query": ["q", "q"], "passage": ["a", "b"], "label": [1, -2]}, "row 2: a label is neither"),
        (
            {"query": ["q", "r"], "passages": [["a"], ["b", "c"]], "labels": [[1], [0]]},
            "row 2: there are not as many labels as passages",
        ),
        (
            {"query": ["q", "q"], "passage": ["a", "b"], "label": [1, -1]},
            "1 labels of -1, which marks a passage without a label, and none of 0: write 0",
        ),
        ({"query": ["q"], "passages": [[{"a": 1}]], "labels": [[1]]}, "row 1: a passage is not text"),
        (
            {"query": [" "], "passage": ["a"], "label": [1]},
            "no row of the train split has a query, a passage",
        ),
    ],
)
def test_bad_rows_are_named(columns: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(columns)
