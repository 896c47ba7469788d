"""Questions with choices, in all the columns that data sets have them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compresskit.data.choices import ChoiceRows, find_choices, has_labels, read_choices
from compresskit.data.files import read_table
from compresskit.data.table import Table
from compresskit.errors import DataError


def read(columns: dict[str, list[Any]], *texts: str, label: str | None = None) -> ChoiceRows:
    table = Table.of(columns)
    return read_choices("train", table, find_choices(table, texts, label))


TWO = [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize(
    ("columns", "texts", "questions"),
    [
        (
            {"sent1": ["p", "q"], "sent2": ["x", ""], "ending0": ["a", "c"], "ending1": ["b", "d"]},
            (),
            [("p", "x"), ("q", "")],
        ),
        (
            {"ctx_a": ["p", "q"], "ctx_b": ["x", None], "ctx": ["p x", "q"], "endings": TWO},
            (),
            [("p", "x"), ("q", "")],
        ),
        ({"ctx": ["p", "q"], "endings": TWO}, (), [("p",), ("q",)]),
        ({"question": ["p", "q"], "choices": TWO}, (), [("p",), ("q",)]),
        ({"premise": ["p", "q"], "choice1": ["a", "c"], "choice2": ["b", "d"]}, (), [("p",), ("q",)]),
        ({"option_b": ["b", "d"], "question": ["p", "q"], "option_a": ["a", "c"]}, (), [("p",), ("q",)]),
        (
            {
                "premise": ["p", "q"],
                "choice1": ["a", "c"],
                "choice2": ["b", "d"],
                "question": ["cause", "effect"],
            },
            (),
            [("p", "cause"), ("q", "effect")],
        ),
        ({"a": ["p", "q"], "b": ["a", "c"], "c": ["b", "d"]}, ("a", "b", "c"), [("p",), ("q",)]),
        ({"id": [1, 2], "stem": ["p", "q"], "given": TWO}, ("stem", "given"), [("p",), ("q",)]),
    ],
)
def test_columns(columns: dict[str, list[Any]], texts: tuple[str, ...], questions: list[Any]) -> None:
    found = read({**columns, "label": ["1", "0"]}, *texts)
    assert (found.questions, found.choices, found.labels) == (questions, [("a", "b"), ("c", "d")], [1, 0])
    assert found.size == 2 and found.missing_note is None


def test_choices_with_names_of_their_own() -> None:
    named = [{"label": ["1", "2"], "text": ["a", "b"]}, {"label": ["A", "B"], "text": ["c", "d"]}]
    found = read({"question": ["p", "q"], "choices": named, "answerKey": ["1", "B"]})
    assert (found.choices, found.labels) == ([("a", "b"), ("c", "d")], [0, 1])
    listed = [[{"label": "X", "text": "a"}, {"label": "Y", "text": 3}]]
    found = read({"question": ["p"], "choices": listed, "answerKey": ["Y"]})
    assert (found.choices, found.labels) == ([("a", "3")], [1])


@pytest.mark.parametrize("label", [1, "1", 1.0, " 1 ", "B", "b"])
def test_labels_are_places_or_letters(label: object) -> None:
    assert read({"question": ["p"], "choices": [["a", "b"]], "right": [label]}, label="right").labels == [1]


def test_words_for_nothing_are_choices(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text("sent1,sent2,ending0,ending1,label\np,x,N/A,None,0\nq,,null,NaN,1\n")
    table = read_table([file])
    rows = read_choices("train", table, find_choices(table))
    assert rows.choices == [("N/A", "None"), ("null", "NaN")]


def test_rows_without_question_or_label_are_dropped() -> None:
    rows = read({"question": ["p", " ", "q", "r"], "choices": [["a", "b"]] * 4, "label": [1, 0, None, -1]})
    assert (rows.questions, rows.labels) == ([("p",)], [1])
    assert rows.missing_note is not None and rows.missing_note.startswith("3 of 4 rows of the train split")
    assert not has_labels(Table.of({"label": ["", -1, None]}), "label")


@pytest.mark.parametrize(
    ("choices", "labels", "message"),
    [
        (
            [["a", "b"], ["a", "b"], ["a", "b", "c"]],
            [0, 0, 0],
            r"train split has questions with unequal numbers of choices: 2 rows have 2, row 3 have 3",
        ),
        ([["a", "b"], ["a", ""], ["a", None]], [0] * 3, "column choices, rows 2, 3: a choice is empty"),
        ([["a"], ["b"], ["c"]], [0] * 3, "rows 1, 2, 3: a choice is empty, or there are fewer than two"),
        (
            [["a", "b"]] * 3,
            [1.0, 2.0, 1.0],
            "row 2: label 2.0 is none of the choices; permitted: 0 to 1, .* Labels count from 1 here",
        ),
        (
            [["a", "b"]] * 3,
            [0, 2, 1],
            "label, row 2: label 2 is none of the choices; permitted: 0 to 1, or a letter from A. Correct",
        ),
        ([["a", "b"]] * 3, [0, True, 1], "row 2: label True is none"),
        ([["a", "b"]] * 3, [None] * 3, "no row of the train split has both a question"),
    ],
)
def test_bad_rows(choices: list[Any], labels: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read({"question": ["p", "q", "r"], "choices": choices, "label": labels})


def test_bad_columns() -> None:
    with pytest.raises(DataError, match="no question with choices found; columns present: text"):
        read({"text": ["p"], "label": [0]})
    with pytest.raises(DataError, match="no label column found"):
        read({"question": ["p"], "choices": [["a", "b"]]})
    with pytest.raises(DataError, match="permitted: the question and its column of lists"):
        read({"a": ["p"], "b": ["q"], "label": [0]}, "a", "b")
    with pytest.raises(DataError, match="column 'c' is missing"):
        read({"a": ["p"], "label": [0]}, "a", "c")
    with pytest.raises(DataError, match="row 1: permitted: a list of texts"):
        read({"question": ["p"], "choices": [{"a": "b"}], "label": [0]})
    with pytest.raises(DataError, match="none of the choices; permitted: X, Y"):
        read({"question": ["p"], "choices": [{"label": ["X", "Y"], "text": ["a", "b"]}], "label": ["Z"]})
