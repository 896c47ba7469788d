"""From words to a tokenizer's pieces, and from logits of pieces to tags of words and to entities.

The first piece of a word carries its tag. A word without a piece (only zero-width characters, or cut off)
has none: it is O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.entities.counting import IGNORED, TagSet, find_chunks, padded
from compresskit.entities.words import Span

ABSENT = -1  # place of a word without a piece


@dataclass(frozen=True)
class Entity:
    """Characters `start` up to, without, `end` of a text. `score`: mean probability of its words' tags."""

    label: str
    start: int
    end: int
    text: str
    score: float


def first_pieces(word_ids: Sequence[int | None], num_words: int) -> list[int]:
    """(words,) place of each word's first piece, or ABSENT. `word_ids`: (pieces,) as a tokenizer says."""
    places = [ABSENT] * num_words
    for place, word in enumerate(word_ids):
        if word is not None and places[word] == ABSENT:
            places[word] = place
    return places


def pieces_at(offsets: Sequence[Span], words: Sequence[Span]) -> list[int]:
    """(words,) place of the first piece that has a character of the word, or ABSENT.

    `offsets`: (pieces,) characters of each piece in the text, empty for special tokens; both are in order.
    Words that lie in one piece share it.
    """
    places = [ABSENT] * len(words)
    first = 0
    for place, (start, end) in enumerate(offsets):
        while first < len(words) and words[first][1] <= start:
            first += 1
        word = first
        while word < len(words) and words[word][0] < end:
            if start < end and places[word] == ABSENT:
                places[word] = place
            word += 1
    return places


def piece_tags(places: Sequence[int], tags: Sequence[int], num_pieces: int) -> list[int]:
    """(pieces,) the tag of the first word that begins in each piece, IGNORED elsewhere."""
    found = [IGNORED] * num_pieces
    for place, tag in zip(places, tags, strict=True):
        if place != ABSENT and found[place] == IGNORED:
            found[place] = tag
    return found


def word_tags(
    guesses: Sequence[npt.NDArray[Any]], places: Sequence[Sequence[int]], tag_set: TagSet
) -> npt.NDArray[np.int64]:
    """(rows, most words) tag ids of words, padded. `guesses`: (pieces,) tag ids of each row.

    A word without a piece is O; one that shares its piece with the word before continues that word's entity.
    """

    def tag(row: npt.NDArray[Any], words: Sequence[int], word: int) -> int:
        place = words[word]
        if place == ABSENT:
            return tag_set.outside
        guess = int(row[place])
        return int(tag_set.inside[guess]) if word and words[word - 1] == place else guess

    return padded(
        [
            [tag(row, words, word) for word in range(len(words))]
            for row, words in zip(guesses, places, strict=True)
        ]
    )


def entities_of(
    logits: npt.NDArray[Any], places: Sequence[int], spans: Sequence[Span], text: str, tag_set: TagSet
) -> list[Entity]:
    """Entities of one text. `logits`: (pieces, tags); `places`, `spans`: (words,)."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    chance = (shifted / shifted.sum(-1, keepdims=True)).max(-1)
    tags = word_tags([logits.argmax(-1)], [places], tag_set)
    found = find_chunks(tags, tag_set)
    return [
        Entity(
            tag_set.types[kind],
            spans[start][0],
            spans[end - 1][1],
            text[spans[start][0] : spans[end - 1][1]],
            float(np.mean([chance[places[word]] for word in range(start, end)])),
        )
        for start, end, kind in zip(found.start, found.end, found.kind, strict=True)
    ]
