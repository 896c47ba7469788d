"""Exact match and F1, against values by SQuAD's own scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from compresskit.tasks.qa_metric import exact_match, f1, filled, normalised, word_numbers


def compared(said: str, true: Sequence[str]) -> tuple[float, float]:
    answer = filled([[word_numbers(said)]], 0)[:, 0]
    answers = filled([[word_numbers(text) for text in true]], 0)
    return float(f1(answer, answers)[0]), float(exact_match(answer, answers)[0])


def test_words() -> None:
    assert normalised("The U.S.A.'s  a-an   Cat,\tan “é”") == ["usas", "aan", "cat", "“é”"]
    assert word_numbers("big Big") != word_numbers("big") * 2
    assert word_numbers("big") == word_numbers("the BIG!")
    assert all(0 <= number < 2**48 for number in word_numbers("one two \ud800"))


# By evaluate-v1.1.py and evaluate-v2.0.py, which agree where there is an answer with words.
@pytest.mark.parametrize(
    ("said", "true", "wanted"),
    [
        ("the Denver Broncos", ["Denver Broncos"], (1.0, 1.0)),
        ("Broncos Denver", ["Denver Broncos"], (1.0, 0.0)),
        ("big big cat", ["big cat"], (0.8, 0.0)),
        ("cat", ["dog", "a big cat", "cats"], (2 / 3, 0.0)),
        ("cat", ["dog", "the cat"], (1.0, 1.0)),
        ("dog", ["cat"], (0.0, 0.0)),
        ("", ["cat"], (0.0, 0.0)),
        ("cat", [], (0.0, 0.0)),
        ("", [], (1.0, 1.0)),
        ("a", [], (1.0, 1.0)),  # no word is left of it
        ("", ["the", "-"], (1.0, 1.0)),
        ("", ["the", "cat"], (0.0, 0.0)),
        ("x " * 40, ["x"], (2 / 41, 0.0)),
    ],
)
def test_known_values(said: str, true: list[str], wanted: Any) -> None:
    assert compared(said, true) == pytest.approx(wanted)


def test_rows_are_scored_apart() -> None:
    said = filled([[word_numbers("a b")], [[]], [word_numbers("c")]], 0)[:, 0]
    true = filled([[word_numbers("b"), word_numbers("c d")], [], [word_numbers("c d")]], 3)
    assert true.shape == (3, 2, 3)
    assert f1(said, true).tolist() == pytest.approx([1, 1, 2 / 3])
    assert exact_match(said, true).tolist() == [1, 1, 0]
