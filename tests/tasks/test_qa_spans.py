"""The best answers of all windows, against values by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from compresskit.inputs import PART
from compresskit.tasks.qa_metric import word_numbers
from compresskit.tasks.qa_spans import FAR, MOST_TOKENS, best_answers

CONTEXT = "Ada lived in London ."
WORDS = [(0, 3), (4, 9), (10, 12), (13, 19), (20, 21)]


def window(first: int, last: int, part: tuple[int, int] = (0, 1), context: str = CONTEXT) -> dict[str, Any]:
    """Start, a question's token, a separator, words `first` to `last`, a separator."""
    inside = WORDS[first:last]
    begins, ends = (np.array([-1, -1, -1, *(place[side] for place in inside), -1]) for side in (0, 1))
    return {"begins": begins, "ends": ends, "context": context, PART: part}


def logits(*rows: Sequence[tuple[float, float]]) -> Any:
    width = max(map(len, rows))
    return np.array([[*row] + [(0.0, 0.0)] * (width - len(row)) for row in rows], dtype=np.float32)


def test_the_best_span_of_all_windows() -> None:
    """Question and separators are no answer, an end before its start is none, and windows share answers."""
    rows = [window(0, 4, (0, 2)), window(2, 5, (1, 2))]
    said = logits(
        [(1, 1), (9, 9), (9, 9), (0, 5.5), (0, 0), (3, 0), (1, 2), (9, 9)],
        [(0, 1), (9, 9), (9, 9), (2, 0), (2, 3), (0, 1), (9, 9)],
    )
    scores = {
        (0, 3): 5.5,
        (0, 9): 0,
        (0, 12): 0,
        (0, 19): 2,
        (4, 9): 0,
        (4, 12): 0,
        (4, 19): 2,
        (10, 12): 3,
        (10, 19): 5,
        (13, 19): 5,
        (10, 21): 3,
        (13, 21): 3,
        (20, 21): 1,
    }
    total, empty = sum(np.exp(score) for score in scores.values()), 1.0  # of the second window
    (found,) = best_answers(said, rows, none=False)
    assert found[:3].tolist() == pytest.approx([empty - 5.5, np.exp(5.5) / total, 0])
    assert found[3:].tolist() == [0, 3, *word_numbers("Ada")]
    (found,) = best_answers(said, rows, none=True)
    total += np.exp(empty)
    assert found[:3].tolist() == pytest.approx([empty - 5.5, np.exp(5.5) / total, np.exp(empty) / total])


def test_questions_are_told_apart_and_padding_is_no_part() -> None:
    rows = [window(0, 1), window(3, 5, (0, 2)), window(4, 5, (1, 2))]
    said = logits([(0, 0)] * 3 + [(1, 1), (0, 0)], [(0, 0)] * 3 + [(2, 0), (0, 3), (0, 0)], [(0, 0)] * 5)
    said[0, 5:] = 50
    found = best_answers(said, rows, none=True)
    assert found[:, 3:5].tolist() == [[0, 3], [13, 21]]
    assert found[:, 0].tolist() == [-2, -5]
    assert best_answers(said[:0], [], none=True).shape[0] == 0


def test_an_answer_has_a_longest_length() -> None:
    count = MOST_TOKENS + 1
    context = "x " * count
    places = np.arange(count) * 2
    edge = [-1]
    row = {"begins": np.r_[edge, places], "ends": np.r_[edge, places + 1], "context": context, PART: (0, 1)}
    said = np.zeros((1, count + 1, 2), np.float32)
    said[0, 1, 0] = said[0, count, 1] = 9
    said[0, count - 1, 1] = 5
    (found,) = best_answers(said, [row], none=False)
    assert found[3:5].tolist() == [0, 2 * MOST_TOKENS - 1]


def test_spaces_at_the_ends_are_no_part_of_an_answer() -> None:
    row = {"begins": np.array([-1, 3]), "ends": np.array([-1, 9]), "context": "Ada lived in", PART: (0, 1)}
    (found,) = best_answers(np.ones((1, 2, 2), np.float32), [row], none=False)
    assert found[3:5].tolist() == [4, 9]


def test_contexts_without_tokens_and_values_that_are_not_finite() -> None:
    empty = {"begins": np.array([-1, -1]), "ends": np.array([-1, -1]), "context": " ", PART: (0, 1)}
    said = np.zeros((2, 4, 2), np.float32)
    said[1, 3, 0] = np.nan
    found = best_answers(said, [empty, window(0, 1)], none=True)
    assert found[0].tolist() == [FAR, 0, 1, 0, 0] and np.isnan(found[1]).all()
