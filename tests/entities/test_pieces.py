from __future__ import annotations

import numpy as np
import pytest

from compresskit.entities.counting import IGNORED, TagSet
from compresskit.entities.pieces import ABSENT, entities_of, first_pieces, piece_tags, pieces_at, word_logits

TAGS = TagSet.of_types(("PER", "LOC"))


def test_the_first_piece_of_each_word() -> None:
    # [CLS] new ##ish york [SEP]; word 1 has no piece, word 3 was cut off
    assert first_pieces([None, 0, 0, 2, None], 4) == [1, ABSENT, 3, ABSENT]


def test_pieces_by_characters() -> None:
    # "U.S. won": the pieces are <s>, "U", ".S", ".", " won", </s>
    offsets = [(0, 0), (0, 1), (1, 3), (3, 4), (4, 8), (0, 0)]
    words = [(0, 1), (1, 2), (2, 3), (3, 4), (5, 8)]
    assert pieces_at(offsets, words) == [1, 2, 2, 3, 4]
    assert pieces_at(offsets[:3], words) == [1, 2, 2, ABSENT, ABSENT]
    assert pieces_at([(0, 3), (3, 5)], [(0, 5)]) == [0]


def test_only_first_pieces_carry_tags() -> None:
    assert piece_tags([1, ABSENT, 3, 3], [5, 6, 7, 8], 5) == [IGNORED, 5, IGNORED, 7, IGNORED]


def one_hot(*tags: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.eye(5)[[*tags]]


def test_words_without_a_piece_are_outside_and_shared_pieces_go_on() -> None:
    found = word_logits([one_hot(0, 1, 3, 4), one_hot(0, 1, 3, 4)], [[1, 1, ABSENT, 2], [3]], TAGS)
    assert found.shape == (2, 4, 5)
    assert found[0].argmax(-1).tolist() == [1, 2, 0, 3]
    assert found[1, 0].argmax() == 4 and np.isnan(found[1, 1:]).all() and not np.isnan(found[0]).any()
    assert sorted(found[0, 1]) == sorted(found[0, 0])  # what was said, in another order


def test_shared_pieces_without_an_entity_stay_outside() -> None:
    assert word_logits([one_hot(0)], [[0, 0]], TAGS)[0].argmax(-1).tolist() == [0, 0]


def test_entities_with_their_characters() -> None:
    text = "In New York, Ann won"
    spans = [(0, 2), (3, 6), (7, 11), (11, 12), (13, 16), (17, 20)]
    logits = np.where(one_hot(0, 3, 4, 0, 1, 0) > 0, 0.0, -20.0)
    logits[2, 0] = np.log(1 / 3)  # York: 3 to 1
    first, second = entities_of(logits, spans, text, TAGS)
    assert (first["entity"], first["start"], first["end"], first["text"]) == ("LOC", 3, 11, "New York")
    assert (second["entity"], second["start"], second["end"], second["text"]) == ("PER", 13, 16, "Ann")
    assert first["score"] == pytest.approx(0.875, abs=1e-6)
    assert second["score"] == pytest.approx(1.0, abs=1e-6)


def test_a_text_without_words_has_no_entity() -> None:
    assert entities_of(np.zeros((0, 5)), [], "", TAGS) == []
    assert word_logits([one_hot(0)], [[]], TAGS).shape == (1, 0, 5)
