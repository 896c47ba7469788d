from __future__ import annotations

import re
from typing import Any

import pytest

from compresskit.data.table import Table
from compresskit.data.text_spans import flattened, spans_of, tags_of
from compresskit.entities.words import TEXT, word_spans

SENTENCE = "Ann left New York-based IBM."
EXPECTED = [(0, 3, "PER"), (9, 17, "LOC"), (24, 27, "ORG")]


@pytest.mark.parametrize(
    "values",
    [
        [[24, 27, "ORG"], [0, 3, "PER"], [9, 17, "LOC"], [0, 3, "PER"]],
        [
            {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 4},
            {"id": 2, "label": "LOC", "start_offset": 8, "end_offset": 17},
            {"id": 3, "label": "ORG", "start_offset": 24, "end_offset": 27},
        ],
        [
            {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]},
            {"start": 9, "end": 17, "text": "New York", "labels": ["LOC"]},
            {"start": 24, "end": 27, "text": "IBM", "labels": ["ORG"]},
        ],
    ],
)
def test_three_forms(values: list[Any]) -> None:
    assert spans_of(SENTENCE, values) == EXPECTED


def test_tags_of_words() -> None:
    words = word_spans(SENTENCE, TEXT)
    tags = ["B-PER", "O", "B-LOC", "I-LOC", "O", "O", "B-ORG", "O"]
    assert tags_of(SENTENCE, EXPECTED, words) == tags
    assert tags_of(SENTENCE, [], words) == ["O"] * 8


def test_offsets_of_a_browser_count_utf16() -> None:
    text = "\U0001f600 Ann left"
    assert spans_of(text, [{"start": 3, "end": 6, "text": "Ann", "labels": ["PER"]}]) == [(2, 5, "PER")]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0, 3, "A"], [2, 5, "B"]], "spans overlap ('A' and 'B' at character 2)"),
        ([[0, 3, "A"], [0, 3, "B"]], "spans overlap ('A' and 'B' at character 0)"),
        ([[0, 99, "A"]], "outside the text (0 to 99 of 28 characters)"),
        ([[5, 5, "A"]], "outside the text"),
        ([[3, 4, "A"]], "no character but spaces"),
        ([[0, 3]], "not start, end and one label ([0, 3])"),
        ([{"start": 0, "end": 3, "labels": ["A", "B"]}], "not start, end and one label"),
        ([["0", "3", "A"]], "not start, end and one label"),
        (
            [{"start": 0, "end": 3, "text": "Bob", "labels": ["A"]}],
            "text is not what stands at its place ('Bob')",
        ),
    ],
)
def test_wrong_spans(values: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        spans_of(SENTENCE, values)


def test_a_span_within_a_word() -> None:
    with pytest.raises(ValueError, match="does not meet the borders of words .'Yo' is 'LOC'"):
        tags_of(SENTENCE, [(13, 15, "LOC")], word_spans(SENTENCE, TEXT))


def test_the_full_export_of_label_studio() -> None:
    value = {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}
    table = Table.of(
        {
            "id": [1, 2, 3],
            "data": [{"text": "Ann left"}, {"text": "b"}, {"text": "c"}],
            "annotations": [
                [
                    {"was_cancelled": True, "result": []},
                    {"result": [{"type": "choices", "value": {}}, {"type": "labels", "value": value}]},
                ],
                [],
                [{"result": []}],
            ],
        }
    )
    found = flattened(table)
    assert dict(found.columns) == {"text": ["Ann left", "b", "c"], "label": [[value], None, []]}
    assert flattened(found) is found
