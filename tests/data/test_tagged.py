from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from compresskit.data.files import read_table
from compresskit.data.table import Table
from compresskit.data.tagged import Layout, check_types, find_layout, layout_of, read_tagged
from compresskit.entities.words import MARKS, TEXT, WORDS, spans_in
from compresskit.errors import DataError

WORDS_LAYOUT = Layout("tokens", "ner_tags", words=True)
NAMES = ("O", "B-PER", "I-PER")


def words_table(rows: list[tuple[Any, Any]], **facts: Any) -> Table:
    return Table.of({"tokens": [row[0] for row in rows], "ner_tags": [row[1] for row in rows]}, **facts)


def test_layouts_are_found_by_name() -> None:
    words, spans = [["a", "b"]], [[[0, 1, "X"]]]
    table = Table.of({"id": [1], "tokens": words, "pos_tags": [[1, 2]], "ner_tags": [[0, 1]]})
    assert find_layout(table) == WORDS_LAYOUT
    assert find_layout(table, ("tokens",), "pos_tags") == Layout("tokens", "pos_tags", words=True)
    assert find_layout(Table.of({"words": words, "tags": words})) == Layout("words", "tags", words=True)
    assert find_layout(Table.of({"text": ["a"], "label": spans})) == Layout("text", "label", words=False)
    assert find_layout(Table.of({"text": ["a"], "entities": [[{}]]})) == Layout(
        "text", "entities", words=False
    )
    others: list[dict[str, list[Any]]] = [
        {"text": ["a"], "label": [1]},
        {"tokens": words},
        {"tokens": ["a"], "tags": ["b"]},
    ]
    for other in others:
        assert find_layout(Table.of(other)) is None


def test_one_column_of_words() -> None:
    table = words_table([(["a", None], ["O", "O"])])
    assert layout_of(table, (), None) == WORDS_LAYOUT  # the row is named when it is read
    assert find_layout(table, ("tokens", "other")) is None
    with pytest.raises(DataError, match="text columns tokens, other; token classification reads one"):
        layout_of(table, ("tokens", "other"), None)


def test_words_with_tags() -> None:
    table = words_table(
        [(["Ann", "B."], ["I-PER", "I-PER"]), (None, ["O"]), ([], []), (["a"], ["O"]), (["b"], None)]
    )
    rows = read_tagged("training", table, WORDS_LAYOUT)
    assert rows.texts == [("Ann", "B."), ("a",)]
    assert rows.tags == [["B-PER", "I-PER"], ["O"]]
    assert (rows.numbers, rows.num_missing, rows.types, rows.rule) == ([1, 4], 3, {"PER"}, WORDS)
    assert rows.scheme is not None and rows.scheme.name == "IOB1"
    assert spans_in(rows.texts[0], rows.rule) == [(0, 3), (4, 6)]


def test_numbers_have_names() -> None:
    rows = [(["Ann", "left"], [1, 0])]
    named = words_table(rows, class_names={"ner_tags": NAMES})
    assert read_tagged("training", named, WORDS_LAYOUT).tags == [["B-PER", "O"]]
    assert read_tagged("training", words_table(rows), WORDS_LAYOUT, NAMES).tags == [["B-PER", "O"]]
    assert read_tagged("training", words_table(rows), WORDS_LAYOUT, NAMES).rule == MARKS


def test_texts_with_spans(tmp_path: Path) -> None:
    lines = [
        {"text": "Ann left (gone).", "label": [[0, 3, "PER"]]},
        {"text": " ", "label": []},
        {"text": "b", "label": []},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    table = read_table([tmp_path / "a.jsonl"])
    layout = find_layout(table)
    assert layout is not None
    rows = read_tagged("training", table, layout)
    assert rows.texts == ["Ann left (gone).", "b"]
    assert rows.tags == [["B-PER", "O", "O", "O", "O", "O"], ["O"]]
    assert (rows.rule, rows.numbers, rows.num_missing) == (TEXT, [1, 3], 1)
    assert spans_in(rows.texts[0], rows.rule)[2] == (9, 10)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(["a"], ["O"]), (["a"], ["O", "O"]), (["a"], ["O", "O"])], "rows 2, 3: 1 words, 2 tags"),
        ([(["a"], [0])], "row 1: tags are numbers and the file has no names for them"),
        ([(["a"], [1.5])], "row 1: tag 1.5 is neither text nor a whole number"),
        ([(["a", None], ["O", "O"])], "row 1: a word is missing or no text"),
        ([(["a"], ["O"]), (["a"], ["PER"])], "no known scheme: 'PER' in row 2"),
        ([(None, None)], "no row of the test split has both tokens and ner_tags"),
    ],
)
def test_wrong_rows_are_named(rows: list[tuple[Any, Any]], message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        read_tagged("test", words_table(rows), WORDS_LAYOUT)


def test_numbers_beyond_the_names_and_absent_columns() -> None:
    with pytest.raises(DataError, match=re.escape("row 1: tag 3 is not one of the 3 named ones, 0 to 2")):
        read_tagged("test", words_table([(["a"], [3])]), WORDS_LAYOUT, NAMES)
    with pytest.raises(DataError, match="no column 'words'; it has: tokens, ner_tags"):
        read_tagged("test", words_table([(["a"], ["O"])]), Layout("words", "ner_tags", words=True))


def test_spans_that_do_not_fit_are_named() -> None:
    table = Table.of(
        {"text": ["Anna", "Ann B", "Ann"], "label": [[[0, 3, "P"]], [[0, 3, "P"], [2, 5, "Q"]], []]}
    )
    message = (
        "the training split, columns text and label: row 1: a span does not meet the borders of words ('Ann' "
        "is 'P'); row 2: spans overlap ('P' and 'Q' at character 2). Correct these rows."
    )
    with pytest.raises(DataError, match=re.escape(message)):
        read_tagged("training", table, Layout("text", "label", words=False))


def test_types_that_training_lacks() -> None:
    rows = read_tagged(
        "test", words_table([(["a"], ["O"]), (["b"], ["B-LOC"]), (["c"], ["B-LOC"])]), WORDS_LAYOUT
    )
    check_types(rows, ("LOC",))
    with pytest.raises(DataError, match=re.escape("'LOC' in rows 2, 3. Training has PER, ORG.")):
        check_types(rows, ("PER", "ORG"))
