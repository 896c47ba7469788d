"""Answers as arrays (questions, answers, WORDS + words), of true ones and of those that a model gives.

An answer is its first character in the context, the one behind its last, and the numbers of its words (see
`qa_metric`). All is `IGNORED` where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.squad import QuestionRows
from compresskit.tasks.examples import IGNORED
from compresskit.tasks.qa_metric import filled, word_numbers
from compresskit.tasks.qa_spans import MOST_TOKENS

Array = npt.NDArray[Any]

WORDS = 2  # columns before the words


def labels_of(rows: QuestionRows) -> Array:
    """The true answers, of at least one column of words."""
    found = [
        [(start, start + len(text), *word_numbers(text)) for start, text in answers]
        for answers in rows.answers
    ]
    return filled(found, least=WORDS + 1)


def notes_on(rows: QuestionRows, *, none: bool) -> Iterator[str]:
    """What a model cannot answer rightly; `none`: it may give no answer."""
    named = f"of {len(rows):,} questions of the {rows.split} split have"
    if rows.num_without and not none:
        yield (
            f"{rows.num_without:,} {named} no answer: the model gives each one, since all questions that it "
            "was trained on have one"
        )
    shortest = [min((len(text.split()) for _, text in each), default=0) for each in rows.answers]
    if too_long := sum(words > MOST_TOKENS for words in shortest):
        yield (
            f"{too_long:,} {named} answers of more than {MOST_TOKENS} words alone, which no model gives: an "
            f"answer has at most {MOST_TOKENS} tokens"
        )


def has_answer(labels: Array) -> npt.NDArray[np.bool_]:
    """(questions,) whether each has an answer."""
    return np.asarray(labels[:, 0, 0] >= 0)


def wrong_answers(labels: Array) -> Array:
    """No answer where there is one; a word that none has where there is not."""
    wrong = np.full_like(labels, IGNORED)
    wrong[~has_answer(labels), 0, : WORDS + 1] = 0
    return wrong
