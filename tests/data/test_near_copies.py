from __future__ import annotations

import numpy as np

from compresskit.data.near_copies import near_copies
from tests.tasks.make import sentence


def texts(count: int, seed: int, length: int = 20) -> list[tuple[str, ...]]:
    rng = np.random.default_rng(seed)
    return [(sentence(rng, length),) for _ in range(count)]


def test_texts_that_differ_in_case_and_punctuation() -> None:
    found = near_copies([("The film, good!",), ("the film good",), ("The film",)], [("the FILM - good.",)])
    assert (found.equal, found.alike, found.num_rows) == (2, 0, 3)
    assert found.note is not None and found.note.startswith(
        "2 of 3 training rows are near-copies of test rows"
    )


def test_long_texts_with_a_word_changed() -> None:
    test = texts(200, 0)
    train = texts(2_000, 1)
    for i in range(100):  # a word in the middle of each: 15 of 21 runs stay
        words = test[i][0].split()
        train[7 * i] = (" ".join([*words[:9], "other", *words[10:]]),)
    found = near_copies(train, test)
    assert found.equal == 0 and 97 <= found.alike <= 100


def test_texts_that_share_less_are_none() -> None:
    test = texts(200, 0)
    half = [
        (" ".join(row[0].split()[:10] + other[0].split()[:10]),)
        for row, other in zip(test, texts(200, 1), strict=True)
    ]
    assert near_copies(half, test).note is None
    short = [("a b c d e",), ("a b c d f",)]
    assert near_copies(short[:1], short[1:]).note is None


def test_pairs_are_compared_whole_and_empty_sides_have_none() -> None:
    assert near_copies([("A b.", "c")], [("a b", "C!"), ("a b", "d")]).equal == 1
    assert near_copies([("a b", "x")], [("a b", "c")]).equal == 0
    assert near_copies([("!?",)], [("...",)]).note is None
    assert near_copies([], []).note is None
