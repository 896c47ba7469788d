"""Training texts that nearly repeat a test text, which makes the test metric too good.

Normalised texts that are equal are found by a hash. Of longer texts those whose runs of three words overlap
by `LEAST` (Jaccard) are found by MinHash in bands and then compared exactly (Broder, On the resemblance and
containment of documents, 1997; Leskovec et al., Mining of Massive Datasets, chapter 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from compresskit.data.units import ROWS

Texts = Sequence[tuple[str, ...]]
Hashes = npt.NDArray[np.uint32]

LEAST = 0.6
SHINGLE = 3  # words
LEAST_WORDS = 10  # shorter texts share most of their runs by chance
_BANDS, _ROWS = 12, 2  # a pair that overlaps by 0.6 is missed with a probability of 0.5 %
_TEXTS_AT_ONCE = 20_000
_BUCKET = 8  # test texts that are compared for one band: templates would else compare all with all

_MIX = np.asarray([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], dtype=np.uint32)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class NearCopies:
    """Training rows that repeat a test row: `equal` but for case, space and punctuation, or `alike`.

    `unit`: what the texts are of, for the note.
    """

    equal: int
    alike: int
    num_rows: int
    unit: str = ROWS

    @property
    def note(self) -> str | None:
        """For the user; None where there are none."""
        if not self.equal and not self.alike:
            return None
        return (
            f"{self.equal + self.alike:,} of {self.num_rows:,} training {self.unit} are near-copies of test "
            f"{self.unit} and stay ({self.equal:,} differ in case or punctuation alone, {self.alike:,} share "
            "most runs of three words): the test metric may be too good"
        )


def near_copies(train: Texts, test: Texts, unit: str = ROWS) -> NearCopies:
    """Count the rows of `train` that are near-copies of a row of `test`; texts of a row count as one."""
    known = {_normal(row) for row in test}
    tested = [words for words in map(str.split, known) if len(words) >= LEAST_WORDS]
    finder = _Finder(tested)
    equal = alike = 0
    for start in range(0, len(train), _TEXTS_AT_ONCE):
        rest = []
        for row in train[start : start + _TEXTS_AT_ONCE]:
            text = _normal(row)
            if text in known:
                equal += bool(text)
            else:
                rest.append(text.split())
        alike += finder.count([words for words in rest if len(words) >= LEAST_WORDS])
    return NearCopies(equal, alike, len(train), unit)


def _normal(row: tuple[str, ...]) -> str:
    return " ".join(_WORD.findall(" ".join(row).casefold()))


class _Finder:
    """Test texts, filed under the bands of their MinHash signatures."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        rng = np.random.default_rng(0)
        self._factors = rng.integers(1, 2**32, _BANDS * _ROWS, dtype=np.uint32) | np.uint32(1)
        self._offsets = rng.integers(0, 2**32, _BANDS * _ROWS, dtype=np.uint32)
        self._hashes: dict[str, int] = {}
        self._texts = texts
        self._filed: list[dict[int, list[int]]] = [{} for _ in range(_BANDS)]
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            for filed, keys in zip(
                self._filed, self._bands(texts[start : start + _TEXTS_AT_ONCE]), strict=True
            ):
                for position, key in enumerate(keys.tolist(), start):
                    bucket = filed.setdefault(key, [])
                    if len(bucket) < _BUCKET:
                        bucket.append(position)

    def count(self, texts: Sequence[Sequence[str]]) -> int:
        """How many of `texts` overlap with a test text."""
        if not texts or not self._texts:
            return 0
        candidates: dict[int, set[int]] = {}
        for filed, keys in zip(self._filed, self._bands(texts), strict=True):
            known = np.fromiter(filed, dtype=np.uint64, count=len(filed))
            for position in np.flatnonzero(np.isin(keys, known)).tolist():
                candidates.setdefault(position, set()).update(filed[int(keys[position])])
        return sum(self._is_near(texts[position], near) for position, near in candidates.items())

    def _is_near(self, text: Sequence[str], candidates: set[int]) -> bool:
        own = _shingles(text)
        for other in (_shingles(self._texts[position]) for position in candidates):
            shared = len(own & other)
            if shared >= LEAST * (len(own) + len(other) - shared):
                return True
        return False

    def _bands(self, texts: Sequence[Sequence[str]]) -> Iterator[npt.NDArray[np.uint64]]:
        """Of each band the (texts,) keys."""
        hashes, starts = self._shingle_hashes(texts)
        for band in range(_BANDS):
            key = np.zeros(len(texts), dtype=np.uint64)
            for row in range(band * _ROWS, (band + 1) * _ROWS):
                least = np.minimum.reduceat(hashes * self._factors[row] ^ self._offsets[row], starts)
                key = (key << np.uint64(32)) | least
            yield key

    def _shingle_hashes(self, texts: Sequence[Sequence[str]]) -> tuple[Hashes, npt.NDArray[np.int64]]:
        """Hashes of all runs of three words, and where each text's begin."""
        lengths = np.asarray([len(text) for text in texts], dtype=np.int64)
        words = np.fromiter((self._hash(word) for text in texts for word in text), np.uint32, lengths.sum())
        runs = words[:-2] * _MIX[0] ^ words[1:-1] * _MIX[1] ^ words[2:] * _MIX[2]
        runs ^= runs >> np.uint32(15)
        ends = np.cumsum(lengths)
        inside = np.ones(len(words), dtype=np.bool_)
        inside[ends - 1] = inside[ends - 2] = False  # a run does not reach into the next text
        starts = ends - lengths - (SHINGLE - 1) * np.arange(len(texts))
        return runs[inside[: len(runs)]], starts

    def _hash(self, word: str) -> int:
        """The same in every process, as Python's own is not."""
        found = self._hashes.get(word)
        if found is None:
            found = self._hashes[word] = crc32(word.encode("utf-8", "surrogatepass"))
        return found


def _shingles(text: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(text[i : i + SHINGLE]) for i in range(len(text) - SHINGLE + 1)}
