from __future__ import annotations

import numpy as np
import pytest

from compresskit.data.containment import words
from compresskit.data.splits import cut_all, cut_validation
from compresskit.errors import DataError
from tests.tasks.make import WORDS, sentence

Texts = list[tuple[str, ...]]


def sentences(count: int, seed: int = 0) -> Texts:
    rng = np.random.default_rng(seed)
    return [(sentence(rng),) for _ in range(count)]


def phrases(count: int, seed: int = 0) -> Texts:
    """Sentences from few words and pieces of them, as in SST-2; pieces stand in many sentences."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    for _ in range(count):
        row = rng.choice(WORDS[:60], size=12).tolist()
        found[" ".join(row)] = None
        for _ in range(4):
            start = int(rng.integers(0, 11))
            found[" ".join(row[start : start + int(rng.integers(1, 6))])] = None
    return [(text,) for text in found]


def touching(left: Texts, right: Texts) -> bool:
    """Whether a text of one side equals, contains or is contained in a text of the other."""
    ours, theirs = ({f" {' '.join(words(text))} " for row in side for text in row} for side in (left, right))
    return any(a in b or b in a for a in ours for b in theirs)


def half(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(count, dtype=np.int64) % 2


def test_fractions_follow_the_number_of_rows() -> None:
    texts = sentences(500)
    small = cut_validation(texts, half(500), [("zz",)], num_rows=9_999, seed=0)
    assert (len(small.train), len(small.validation), len(small.test)) == (350, 150, 0)
    large = cut_validation(texts, half(500), [("zz",)], num_rows=10_000, seed=0)
    assert (len(large.train), len(large.validation)) == (450, 50)
    assert half(500)[large.validation].sum() == 25
    assert large.notes == ()


def test_one_file_is_cut_80_10_10() -> None:
    cut = cut_all(sentences(500), half(500), seed=0)
    assert (len(cut.train), len(cut.validation), len(cut.test)) == (400, 50, 50)
    assert sorted([*cut.train, *cut.validation, *cut.test]) == list(range(500))


def test_the_seed_decides() -> None:
    texts = sentences(200)
    first, again, other = (
        cut_validation(texts, half(200), [], num_rows=200, seed=seed).validation.tolist()
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_training_rows_of_the_test_set_are_dropped_and_counted() -> None:
    texts = sentences(100)
    test = [(texts[7][0].upper(),), (f"{texts[30][0]} ",), ("other",)]
    cut = cut_validation(texts, half(100), test, num_rows=100, seed=0)
    assert not {7, 30} & {*cut.train.tolist(), *cut.validation.tolist()}
    assert len(cut.train) + len(cut.validation) == 98
    assert cut.notes == ("2 of 100 training rows are also in the test set and were dropped",)


def test_a_pair_stands_in_the_test_set_in_either_order_but_not_by_one_sentence() -> None:
    texts = [(first[0], second[0]) for first, second in zip(sentences(60, 1), sentences(60, 2), strict=True)]
    test = [(texts[3][1], texts[3][0]), (texts[9][0], "another")]
    cut = cut_validation(texts, half(60), test, num_rows=60, seed=0)
    kept = {*cut.train.tolist(), *cut.validation.tolist()}
    assert 3 not in kept and 9 in kept


def test_no_text_touches_a_text_of_the_other_side() -> None:
    texts = phrases(250)
    cut = cut_validation(texts, half(len(texts)), [("zz",)], num_rows=20_000, seed=0)
    train, validation = ([texts[i] for i in part] for part in (cut.train, cut.validation))
    assert not touching(train, validation)
    assert touching(texts[:600], texts[600:]), "a plain cut of these rows would leak"
    assert len(validation) > 0.05 * len(texts) and len(train) > 0.6 * len(texts)
    dropped = len(texts) - len(train) - len(validation)
    assert cut.notes[0].startswith(f"{dropped:,} of {len(texts):,} rows were dropped")


def test_three_sides_of_one_file_do_not_touch() -> None:
    texts = phrases(200, seed=1)
    cut = cut_all(texts, half(len(texts)), seed=0)
    train, validation, test = ([texts[i] for i in part] for part in (cut.train, cut.validation, cut.test))
    assert not touching(train, validation + test) and not touching(validation, test)


def test_pairs_that_share_sentences_do_not_touch() -> None:
    rng = np.random.default_rng(0)
    pool = [text for (text,) in sentences(300)]
    texts = [(pool[int(a)], pool[int(b)]) for a, b in rng.integers(0, 300, size=(300, 2))]
    cut = cut_validation(texts, half(300), [("y", "z")], num_rows=300, seed=0)
    assert not touching([texts[i] for i in cut.train], [texts[i] for i in cut.validation])


def test_validation_of_phrases_is_as_long_as_the_test_set() -> None:
    texts = phrases(250)
    test = [(f"{text} zz zz zz",) for (text,) in sentences(40, 9)]
    cut = cut_validation(texts, half(len(texts)), test, num_rows=20_000, seed=0)
    lengths = [len(texts[i][0].split()) for i in cut.validation]
    assert len(lengths) > 15 and np.mean([length >= 11 for length in lengths]) > 0.9
    assert any("resembles the test set" in note for note in cut.notes)


def test_rows_that_all_hang_together_cannot_be_split() -> None:
    with pytest.raises(DataError, match="no row is left for validation after 40 rows"):
        cut_validation([("same", f"w{i}") for i in range(40)], half(40), [], num_rows=40, seed=0)
    with pytest.raises(DataError, match="no row is left for validation after 2"):
        cut_all([("a",), ("b",)], np.asarray([0, 1]), seed=0)
