"""SQuAD's JSON, nested and flat, of both versions."""

from __future__ import annotations

from typing import Any

import pytest

from compresskit.data.squad import QuestionRows, questions_of, read_questions, unnested
from compresskit.data.table import Table
from compresskit.errors import DataError

CONTEXT = "Ada lived in London."
LONDON = {"text": "London", "answer_start": 13}
FLAT = {"text": ["London"], "answer_start": [13]}


def read(table: Table) -> QuestionRows:
    table = unnested(table)
    return read_questions("train", table, questions_of(table, (), None))


def flat(*answers: Any, **columns: list[Any]) -> Table:
    count = len(answers)
    return Table.of(
        {"question": ["where? "] * count, "context": [CONTEXT] * count, "answers": [*answers], **columns}
    )


def test_version_1_nested() -> None:
    first = {"context": CONTEXT, "qas": [{"id": "1", "question": "where?", "answers": [LONDON]}]}
    second = {
        "context": "No.",
        "qas": [{"id": "2", "question": "yes?", "answers": [{"text": "No", "answer_start": 0}]}],
    }
    articles = [{"title": "Ada", "paragraphs": [first]}, {"title": "No", "paragraphs": [second]}]
    for table in (
        Table.of({"version": ["1.1"], "data": [articles]}),
        Table.of({"title": ["Ada", "No"], "paragraphs": [[first], [second]]}),
        Table.of({"context": [CONTEXT, "No."], "qas": [first["qas"], second["qas"]]}),
    ):
        rows = read(table)
        assert (rows.questions, rows.contexts) == (["where?", "yes?"], [CONTEXT, "No."])
        assert rows.answers == [[(13, "London")], [(0, "No")]] and rows.notes == () and rows.num_without == 0


def test_version_2_nested() -> None:
    asked = [
        {"question": "where?", "answers": [LONDON], "is_impossible": False},
        {"question": "when?", "answers": [], "is_impossible": True, "plausible_answers": [LONDON]},
        {"question": "why?", "plausible_answers": [LONDON], "is_impossible": True},
    ]
    table = Table.of({"version": ["v2.0"], "data": [[{"paragraphs": [{"context": CONTEXT, "qas": asked}]}]]})
    rows = read(table)
    assert rows.answers == [[(13, "London")], [], []] and rows.num_without == 2


def test_flat_forms() -> None:
    several = {"text": ["London", "London", "in London"], "answer_start": [13, 13, 10]}
    rows = read(
        flat(
            FLAT, [LONDON], {"text": "London", "answer_start": 13}, several, {"text": [], "answer_start": []}
        )
    )
    assert rows.answers == [[(13, "London")]] * 3 + [[(13, "London"), (10, "in London")], []]
    assert rows.questions[0] == "where?"
    assert rows.values[0] == ("where?", CONTEXT, "13", "London")
    blank = read(flat(FLAT, {"text": [""], "answer_start": [-1]}))
    assert blank.answers == [[(13, "London")], []]


def test_what_is_unusable_is_counted() -> None:
    wrong = {"text": ["London"], "answer_start": [12]}
    partly = {"text": ["London", "London"], "answer_start": [12, 13]}
    table = flat(FLAT, FLAT, FLAT, wrong, partly, None, FLAT, question=["a", "b", "c", "d", "e", "f", " "])
    rows = read(table)
    assert rows.questions == ["a", "b", "c", "e"] and rows.answers[3] == [(13, "London")]
    assert rows.notes == (
        "2 of 7 rows of the train split lack a question, context or answers and were dropped",
        "1 of 7 questions of the train split have no answer that stands at its answer_start in the context "
        "(such as row 4, 'London' at 12) and were dropped",
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            flat({"text": ["London"], "answer_start": [14]}),
            "1 of 1 questions.*row 1, 'London' at 14.*not bytes",
        ),
        (flat({"text": ["London"], "answer_start": [-7]}), "1 of 1 questions"),
        (
            flat({"text": ["a"], "answer_start": [0]}, *[{"text": [], "answer_start": []}] * 3),
            "1 of 4 questions",
        ),
        (flat(FLAT, {"text": ["London"], "answer_start": []}), "row 2: .* does not hold as many text as"),
        (
            flat(FLAT, {"text": ["London"], "answer_start": ["13"]}),
            "row 2: an answer has .* answer_start '13'",
        ),
        (flat(FLAT, {"text": ["London"]}), "row 2: .* does not hold"),
        (flat(["London"]), "row 1: .* is neither an object nor a list of objects"),
        (flat(FLAT, context=[1]), "'context' holds whole numbers, not text"),
        (flat(FLAT, context=[" "]), "every row of the train split lacks a question, context or answers"),
        (flat("London"), r"no questions with answers found; columns present: .*answers \(text\)"),
        (Table.of({"data": [[1]]}), "an item of 'data' in SQuAD's nested JSON is 1"),
        (Table.of({"data": [[]]}), "no questions with answers found"),
    ],
)
def test_bad_data(table: Table, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(table)
