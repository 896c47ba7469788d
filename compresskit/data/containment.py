"""Which texts are contained in which others: by whole words, ignoring case and spacing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from sys import intern

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Words = tuple[str, ...]

_WORD = re.compile(r"\w+|[^\w\s]")
_PAIRS_AT_ONCE = 1 << 20  # bounds memory where many texts share their rarest pair of words
_MIX = np.uint32(0x9E3779B1)


def words(text: str) -> Words:
    """The words and punctuation marks of a text, in lower case; texts of equal words count as one text."""
    return tuple(map(intern, _WORD.findall(text.lower())))  # one object for all places of a word


def containers(texts: Sequence[Words]) -> list[list[int]]:
    """For each of `texts` (distinct), the positions of the other texts that contain it, ascending.

    Each text is filed under the rarest pair of neighbouring words it holds, so that a longer text is
    compared only with the few that are filed under one of its own pairs.
    """
    found: list[dict[int, None]] = [{} for _ in texts]
    corpus = _Corpus.of(texts)
    for offset, inner, outer in corpus.candidates():
        for start, small, large in zip(offset.tolist(), inner.tolist(), outer.tolist(), strict=True):
            wanted = texts[small]
            if texts[large][start : start + len(wanted)] == wanted:
                found[small][large] = None
    return [sorted(positions) for positions in found]


def contained(texts: Sequence[str], others: Iterable[str]) -> list[bool]:
    """Of each of `texts` whether it stands, whole, in one of `others`."""
    given = dict.fromkeys(map(words, others))
    wanted = [words(text) for text in texts]
    every = list(dict.fromkeys((*given, *wanted)))
    inside = {
        text
        for text, places in zip(every, containers(every), strict=True)
        if text and (text in given or any(every[place] in given for place in places))
    }
    return [text in inside for text in wanted]


@dataclass(frozen=True)
class _Corpus:
    """All texts one after another. `ids`: (words,); `text`: (words,) whose word it is; `starts`: (texts,)."""

    ids: npt.NDArray[np.int32]
    text: npt.NDArray[np.int32]
    starts: IntArray
    lengths: IntArray

    @classmethod
    def of(cls, texts: Sequence[Words]) -> _Corpus:
        vocabulary: dict[str, int] = {}
        lengths = np.asarray([len(text) for text in texts], dtype=np.int64)
        flat = (vocabulary.setdefault(word, len(vocabulary)) for text in texts for word in text)
        ids = np.fromiter(flat, dtype=np.int32, count=int(lengths.sum()))
        owner = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
        return cls(ids, owner, np.cumsum(lengths) - lengths, lengths)

    def candidates(self) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
        """(start within the container, contained text, container): pairs that are worth comparing."""
        single = np.flatnonzero(self.lengths == 1)
        yield from self._meet(self.ids, single, self.starts[single])
        if len(self.ids) < 2:
            return
        # Two pairs may have one key: that costs comparisons, where exact keys would cost a sort.
        size = 1 << min(max(len(self.ids).bit_length(), 10), 24)
        mixed = (self.ids[:-1].astype(np.uint32) * _MIX ^ self.ids[1:].astype(np.uint32)) * _MIX
        keys = (mixed >> np.uint32(33 - size.bit_length())).astype(np.int32)
        within = self.text[:-1] == self.text[1:]
        counts = np.bincount(keys[within], minlength=size).astype(np.int32)
        several = np.flatnonzero(self.lengths > 1)
        spans = zip(self.starts[several].tolist(), self.lengths[several].tolist(), strict=True)
        places = [start + int(counts[keys[start : start + length - 1]].argmin()) for start, length in spans]
        keys[~within] = -1
        yield from self._meet(keys, several, np.asarray(places, dtype=np.int64))

    def _meet(
        self, keys: npt.NDArray[np.int32], filed: IntArray, places: IntArray
    ) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
        """Every position whose key is that of a filed text; `places` are where the filed ones have it."""
        if not len(filed):
            return
        order = np.argsort(keys[places], kind="stable")
        filed, places = filed[order], places[order]
        here = keys[places].astype(np.int64)
        number = np.bincount(here, minlength=int(keys.max()) + 1)
        first = np.cumsum(number) - number
        for begin in range(0, len(keys), _PAIRS_AT_ONCE):
            part = keys[begin : begin + _PAIRS_AT_ONCE]
            hits = np.flatnonzero((part >= 0) & (number[part] > 0))
            total = np.cumsum(number[part[hits]])
            blocks = np.searchsorted(total, np.arange(0, int(total[-1]) if len(total) else 0, _PAIRS_AT_ONCE))
            for block in np.split(hits, np.unique(blocks)[1:]):
                yield self._fitting(block + begin, first[part[block]], number[part[block]], filed, places)

    def _fitting(
        self, block: IntArray, first: IntArray, amount: IntArray, filed: IntArray, places: IntArray
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Of the filed texts `first` to `first + amount` those that fit round each position of `block`."""
        within = np.arange(int(amount.sum())) - np.repeat(np.cumsum(amount) - amount, amount)
        entry = np.repeat(first, amount) + within
        inner, outer = filed[entry], np.repeat(self.text[block], amount).astype(np.int64)
        start = np.repeat(block, amount) - places[entry] + self.starts[inner]
        end = start + self.lengths[inner]
        fits = (inner != outer) & (start >= self.starts[outer])
        fits &= end <= self.starts[outer] + self.lengths[outer]
        start, end, inner, outer = start[fits], end[fits], inner[fits], outer[fits]
        same = self.ids[start] == self.ids[self.starts[inner]]
        same &= self.ids[end - 1] == self.ids[self.starts[inner] + self.lengths[inner] - 1]
        return (start - self.starts[outer])[same], inner[same], outer[same]
