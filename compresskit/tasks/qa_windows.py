"""Questions with their contexts as rows of tokens: windows of the context that overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from compresskit.errors import DataError
from compresskit.inputs import PART, SEGMENT_IDS, TOKEN_IDS, Row
from compresskit.tasks.examples import IGNORED

BEGINS, ENDS, CONTEXT = "begins", "ends", "context"
# What a token of a window may be: no part of an answer, its first, its last, or both.
NEITHER, FIRST, LAST = 0, 1, 2
MOST_OVERLAP = 128  # tokens, as in Devlin et al., BERT, 2019 (their code's doc_stride)
_ROWS_AT_ONCE = 2_000  # a tokenizer's answers take fifty times the memory of the ids in them

Ints = npt.NDArray[np.int32]


class Windows(NamedTuple):
    """`rows`: the windows of a question one after another, each a `PART`. `num_cut`: questions cut short."""

    rows: list[Row]
    num_cut: int


def encode_windows(inputs: Sequence[Any], tokenizer: Any, *, segments: bool) -> Windows:
    """Windows by a `tokenizers.Tokenizer`, as long as it cuts texts to.

    A window is the question, which may take half of it, and a part of the context; it begins `MOST_OVERLAP`
    tokens, or a third of such a part, before the last one ends. A row has token ids, with `segments` also
    those of segments, the `CONTEXT`, and of each token `BEGINS`, its first character in the context, and
    `ENDS`, the one behind its last; -1 where it is no token of the context.
    DataError for the first input that is no question with a context.
    """
    if isinstance(inputs, str):
        raise DataError("the questions are one string; give a list of (question, context) pairs.")
    pairs = [question_of(number, value) for number, value in enumerate(inputs)]
    if not pairs:
        return Windows([], 0)
    frame, numbers = _frame(tokenizer), dict[int, int]()  # equal numbers are one object: 8 bytes a token
    most = (tokenizer.truncation or {}).get("max_length")
    room = None if most is None else most - frame.size
    rows: list[Row] = []
    num_cut = 0
    for start in range(0, len(pairs), _ROWS_AT_ONCE):
        part = pairs[start : start + _ROWS_AT_ONCE]
        asked = _encoded(tokenizer, (question for question, _ in part))
        read = _encoded(tokenizer, (context for _, context in part))
        for question, context in part:
            ids, tokens = asked[question].ids, read[context]
            limit = len(ids) if room is None else room // 2
            num_cut += len(ids) > limit
            own = [numbers.setdefault(each, each) for each in ids[:limit]]
            size = max(len(tokens.ids), 1) if room is None else room - len(own)
            overlap = min(MOST_OVERLAP, size // 3)
            starts = range(0, max(len(tokens.ids) - overlap, 1), size - overlap)
            for place, first in enumerate(starts):
                piece = tokens.between(first, first + size, numbers)
                row = {CONTEXT: context, PART: (place, len(starts)), **frame.row(own, piece)}
                rows.append(row if segments else {k: v for k, v in row.items() if k != SEGMENT_IDS})
    return Windows(rows, num_cut)


def question_of(number: int, value: Any) -> tuple[str, str]:
    """Question, without spaces at its ends, and context. DataError for another form of input `number`."""
    pair = (value.get("question"), value.get("context")) if isinstance(value, Mapping) else value
    if isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(each, str) for each in pair):
        return pair[0].strip(), pair[1]
    raise DataError(
        f"questions[{number}] is {value!r:.60}; permitted: a (question, context) pair of texts, or an object "
        "with question and context."
    )


def marks(row: Row, start: int, end: int) -> npt.NDArray[np.int64]:
    """(tokens,) of a window whose question is answered by these characters of its context.

    `FIRST` and `LAST` add up where one token is both. Both are the window's first token where it does not
    hold the whole answer, or `start` is negative. `IGNORED`: tokens that no answer may have.
    """
    begins, ends = row[BEGINS], row[ENDS]
    inside = np.flatnonzero(begins >= 0)
    found = np.full(len(begins), IGNORED, dtype=np.int64)
    found[inside] = NEITHER
    found[0] = NEITHER
    held = inside[(begins[inside] < end) & (ends[inside] > start)]
    is_whole = start >= 0 and len(held) and begins[inside[0]] <= start and ends[inside[-1]] >= end
    found[held[0] if is_whole else 0] += FIRST
    found[held[-1] if is_whole else 0] += LAST
    return found


class _Tokens(NamedTuple):
    ids: Sequence[int]
    begins: Ints
    ends: Ints

    def between(self, first: int, last: int, numbers: dict[int, int]) -> _Tokens:
        ids = [numbers.setdefault(each, each) for each in self.ids[first:last]]
        return _Tokens(ids, self.begins[first:last], self.ends[first:last])


class _Frame(NamedTuple):
    """The special tokens around a pair, each with its segment, and the segments of the pair's own tokens."""

    before: list[tuple[int, int]]
    between: list[tuple[int, int]]
    after: list[tuple[int, int]]
    segments: tuple[int, int]

    @property
    def size(self) -> int:
        return len(self.before) + len(self.between) + len(self.after)

    def row(self, question: Sequence[int], piece: _Tokens) -> dict[str, Any]:
        parts = [
            *self.before,
            *((each, self.segments[0]) for each in question),
            *self.between,
            *((each, self.segments[1]) for each in piece.ids),
            *self.after,
        ]
        ahead = len(self.before) + len(question) + len(self.between)
        begins, ends = (
            np.pad(each, (ahead, len(self.after)), constant_values=-1) for each in (piece.begins, piece.ends)
        )
        ids, segments = zip(*parts, strict=True)
        return {TOKEN_IDS: [*ids], SEGMENT_IDS: [*segments], BEGINS: begins, ENDS: ends}


def _frame(tokenizer: Any) -> _Frame:
    """That of a short pair: a long one would be cut."""
    pair = tokenizer.encode("a", "a")
    first, second = ([i for i, of in enumerate(pair.sequence_ids) if of == which] for which in (0, 1))
    tokens = list(zip(pair.ids, pair.type_ids, strict=True))
    return _Frame(
        tokens[: first[0]],
        tokens[first[-1] + 1 : second[0]],
        tokens[second[-1] + 1 :],
        (tokens[first[0]][1], tokens[second[0]][1]),
    )


def _encoded(tokenizer: Any, texts: Iterable[str]) -> dict[str, _Tokens]:
    """Each text once, whole and without special tokens, whatever the tokenizer cuts texts to."""
    different = list(dict.fromkeys(texts))
    found = {}
    items = tokenizer.encode_batch(different, add_special_tokens=False)
    for text, item in zip(different, items, strict=True):
        parts = sorted((each for each in (item, *item.overflowing) if each.ids), key=lambda e: e.offsets[0])
        offsets = np.asarray([place for each in parts for place in each.offsets], np.int32).reshape(-1, 2)
        ids = [token for each in parts for token in each.ids]
        found[text] = _Tokens(ids, offsets[:, 0].copy(), offsets[:, 1].copy())
    return found
