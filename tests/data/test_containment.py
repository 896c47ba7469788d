from __future__ import annotations

import numpy as np
import pytest

from compresskit.data import containment
from compresskit.data.containment import Words, contained, containers, words


def test_case_spacing_and_glued_punctuation_make_no_other_text() -> None:
    assert words("It's  GOOD.") == words("it 's good .") == ("it", "'", "s", "good", ".")
    assert words(" \n") == ()


def test_containment_is_by_whole_words() -> None:
    texts = [words(t) for t in ("art", "the state of the art", "start", "of the", "the of")]
    assert containers(texts) == [[1], [], [], [1], []]


def holds(outer: Words, inner: Words) -> bool:
    return any(outer[i : i + len(inner)] == inner for i in range(len(outer) - len(inner) + 1))


@pytest.mark.parametrize("at_once", [3, 1 << 20])
def test_it_finds_what_comparing_all_with_all_finds(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containment, "_PAIRS_AT_ONCE", at_once)
    rng = np.random.default_rng(3)
    drawn = [tuple(rng.choice(list("abcd"), size=rng.integers(1, 9)).tolist()) for _ in range(150)]
    texts = list(dict.fromkeys(drawn))
    wanted = [[j for j, b in enumerate(texts) if i != j and holds(b, a)] for i, a in enumerate(texts)]
    assert any(wanted) and containers(texts) == wanted


def test_texts_that_stand_in_others_are_told() -> None:
    others = ["The state of the art.", "start", "start"]
    assert contained(["the ART .", "art", "Start", "of state", "", "art"], others) == [
        *(True, True, True, False, False, True)
    ]
    assert contained(["art", "the art"], []) == [False, False]


def test_few_texts() -> None:
    assert containers([]) == []
    assert containers([("a",)]) == [[]]
