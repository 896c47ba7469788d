"""Which texts stand inside which: by whole words, case and spacing aside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Words = tuple[str, ...]

_WORD = re.compile(r"\w+|[^\w\s]")
_PAIRS_AT_ONCE = 1 << 20  # bounds memory where many texts share their rarest pair of words


def words(text: str) -> Words:
    """The words and punctuation marks of a text, in lower case; texts of equal words count as one text."""
    return tuple(_WORD.findall(text.lower()))


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


@dataclass(frozen=True)
class _Corpus:
    """All texts one after another. `ids`: (words,); `text`: (words,) whose word it is; `starts`: (texts,)."""

    ids: IntArray
    text: IntArray
    starts: IntArray
    lengths: IntArray

    @classmethod
    def of(cls, texts: Sequence[Words]) -> _Corpus:
        vocabulary: dict[str, int] = {}
        flat = [vocabulary.setdefault(word, len(vocabulary)) for text in texts for word in text]
        lengths = np.asarray([len(text) for text in texts], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        owner = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
        return cls(np.asarray(flat, dtype=np.int64), owner, starts, lengths)

    def candidates(self) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
        """(start within the container, contained text, container): pairs that are worth comparing."""
        single = np.flatnonzero(self.lengths == 1)
        yield from self._meet(self.ids, single, self.starts[single])
        if len(self.ids) < 2:
            return
        pairs = self.ids[:-1] * (int(self.ids.max()) + 1) + self.ids[1:]
        pairs[self.text[:-1] != self.text[1:]] = -1
        _, keys, counts = np.unique(pairs, return_inverse=True, return_counts=True)
        rarity = counts[keys]
        several = np.flatnonzero(self.lengths > 1)
        spans = zip(self.starts[several].tolist(), self.lengths[several].tolist(), strict=True)
        places = [start + int(rarity[start : start + length - 1].argmin()) for start, length in spans]
        keys[pairs == -1] = -1
        yield from self._meet(keys.astype(np.int64), several, np.asarray(places, dtype=np.int64))

    def _meet(
        self, keys: IntArray, filed: IntArray, places: IntArray
    ) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
        """Every position whose key is that of a filed text; `places` are where the filed ones have it."""
        order = np.argsort(keys[places], kind="stable")
        filed, places = filed[order], places[order]
        first = np.searchsorted(keys[places], keys, side="left")
        number = np.searchsorted(keys[places], keys, side="right") - first
        hits = np.flatnonzero(number)
        total = np.cumsum(number[hits])
        blocks = np.searchsorted(total, np.arange(0, int(total[-1]) if len(total) else 0, _PAIRS_AT_ONCE))
        for block in np.split(hits, np.unique(blocks)[1:]):
            amount = number[block]
            within = np.arange(int(amount.sum())) - np.repeat(np.cumsum(amount) - amount, amount)
            entry = np.repeat(first[block], amount) + within
            inner, outer = filed[entry], np.repeat(self.text[block], amount)
            lead = places[entry] - self.starts[inner]
            start = np.repeat(block, amount) - lead
            end = start + self.lengths[inner]
            fits = (inner != outer) & (start >= self.starts[outer])
            fits &= end <= self.starts[outer] + self.lengths[outer]
            start, end, inner, outer = start[fits], end[fits], inner[fits], outer[fits]
            same = self.ids[start] == self.ids[self.starts[inner]]
            same &= self.ids[end - 1] == self.ids[self.starts[inner] + self.lengths[inner] - 1]
            yield (start - self.starts[outer])[same], inner[same], outer[same]
