"""From words to a tokenizer's pieces, and from logits of pieces to tags of words and to entities.

The first piece of a word carries its tag. A word without a piece (only zero-width characters, or cut off)
has none: it is O.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from compresskit.entities.counting import IGNORED, TagSet, find_chunks
from compresskit.entities.words import Span

ABSENT = -1  # place of a word without a piece


class Entity(TypedDict):
    """Characters `start` up to, without, `end` of a text. `score`: mean probability of its words' tags."""

    entity: str
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


def word_logits(
    logits: Iterable[npt.NDArray[Any]], places: Sequence[Sequence[int]], tag_set: TagSet
) -> npt.NDArray[np.float32]:
    """(rows, most words, tags) of words, NaN behind a row's last. `logits`: (pieces, tags) of each row.

    A word without a piece is O; one that shares its piece with the word before continues that word's entity.
    """
    shape = (len(places), max(map(len, places), default=0), len(tag_set.names))
    found = np.full(shape, np.nan, dtype=np.float32)
    outside = np.eye(len(tag_set.names), dtype=np.float32)[tag_set.outside]
    for row, pieces, words in zip(found, logits, places, strict=True):
        where = np.asarray(words, dtype=np.int64)
        row[: len(where)] = np.where((where == ABSENT)[:, None], outside, pieces[where])
        shared = np.flatnonzero((where[1:] == where[:-1]) & (where[1:] != ABSENT)) + 1
        if len(shared):
            row[shared] = _continued(row[shared], tag_set)
    return found


def _continued(logits: npt.NDArray[Any], tag_set: TagSet) -> npt.NDArray[Any]:
    """Logits (words, tags) in which no B- is above the I- of its type."""
    found = logits.copy()
    begins = np.flatnonzero(tag_set.begins[:-1])
    inside = tag_set.inside[begins]
    found[:, inside] = np.maximum(logits[:, begins], logits[:, inside])
    found[:, begins] = np.minimum(logits[:, begins], logits[:, inside])
    return found


def entities_of(logits: npt.NDArray[Any], spans: Sequence[Span], text: str, tag_set: TagSet) -> list[Entity]:
    """Entities of one text. `logits`: (words, tags); `spans`: (words,) characters of each."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    chance = (shifted / shifted.sum(-1, keepdims=True)).max(-1)
    found = find_chunks(logits.argmax(-1)[None], tag_set)
    return [
        Entity(
            entity=tag_set.types[kind],
            start=spans[start][0],
            end=spans[end - 1][1],
            text=text[spans[start][0] : spans[end - 1][1]],
            score=float(chance[start:end].mean()),
        )
        for start, end, kind in zip(found.start, found.end, found.kind, strict=True)
    ]
