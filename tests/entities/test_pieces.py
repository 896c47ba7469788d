from __future__ import annotations

import numpy as np
import pytest

from compresskit.entities.counting import IGNORED, TagSet
from compresskit.entities.pieces import ABSENT, entities_of, first_pieces, piece_tags, pieces_at, word_tags

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


def test_words_without_a_piece_are_outside_and_shared_pieces_go_on() -> None:
    guesses = np.asarray([0, 1, 3, 4])
    found = word_tags([guesses, guesses], [[1, 1, ABSENT, 2], [3]], TAGS)
    assert found.tolist() == [[1, 2, 0, 3], [4, IGNORED, IGNORED, IGNORED]]


def test_entities_with_their_characters() -> None:
    text = "In New York, Ann won"
    spans = [(0, 2), (3, 6), (7, 11), (11, 12), (13, 16), (17, 20)]
    logits = np.full((7, 5), -20.0)
    logits[np.arange(7), [0, 0, 3, 4, 0, 1, 0]] = 0.0
    logits[3, 0] = np.log(1 / 3)  # York: 3 to 1
    found = entities_of(logits, [1, 2, 3, 4, 5, ABSENT], spans, text, TAGS)
    assert [(each.label, each.start, each.end, each.text) for each in found] == [
        ("LOC", 3, 11, "New York"),
        ("PER", 13, 16, "Ann"),
    ]
    assert found[0].score == pytest.approx(0.875, abs=1e-6)
    assert found[1].score == pytest.approx(1.0, abs=1e-6)


def test_a_text_without_words_has_no_entity() -> None:
    assert entities_of(np.zeros((2, 5)), [], [], "", TAGS) == []
