from __future__ import annotations

import pytest

from compresskit.entities.words import MARKS, TEXT, WORDS, word_rule, word_spans


def words(text: str, rule: str) -> list[str]:
    return [text[start:end] for start, end in word_spans(text, rule)]


def test_at_each_mark() -> None:
    text = " New York-based (U.S.) don't_x\u00a042%\t"
    expected = ["New", "York", "-", "based", "(", "U", ".", "S", ".", ")", "don", "'", "t_x", "42", "%"]
    assert words(text, TEXT) == words(text, MARKS) == expected


def test_with_marks_inside() -> None:
    text = '"J. Smith\'s 1996-08-30 visit to the U.S. (U.K.), he said... cost -- $5.5m."'
    said = "J. Smith 's 1996-08-30 visit to the U.S. ( U.K. ) , he said ... cost -- $ 5.5m ."
    expected = ['"', *said.split(), '"']
    assert words(text, WORDS) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("हिन्दी में", ["हिन्दी", "में"]),  # vowel signs are no letters to Python's \w
        ("北京 abc", ["北", "京", "abc"]),
        ("zero\u200bwidth", ["zero\u200bwidth"]),
        ("", []),
        (" \n", []),
    ],
)
def test_other_scripts(text: str, expected: list[str]) -> None:
    assert words(text, MARKS) == expected


def test_the_rule_is_that_of_the_words() -> None:
    assert word_rule([["The", "U.S.", "."]]) == WORDS
    assert word_rule([["The", "U", ".", "...", "'"]]) == MARKS
    assert word_rule([]) == MARKS
