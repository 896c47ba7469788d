"""Texts, raw or as words, to rows of token ids that know where their words are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compresskit.entities.pieces import first_pieces, pieces_at
from compresskit.entities.words import TEXT, Span, joined, spans_in
from compresskit.errors import DataError
from compresskit.inputs import SEGMENT_IDS, TOKEN_IDS, Row

_ROWS_AT_ONCE = 2_000  # a tokenizer's answers take fifty times the memory of the ids in them


def encode_rows(inputs: Sequence[Any], tokenizer: Any, rule: str, *, segments: bool) -> tuple[list[Row], int]:
    """Rows by a `tokenizers.Tokenizer`, and how many were too long and cut.

    A row has token ids, with `segments` also those of segments, and of each word `first_pieces`, the place
    of its first piece, and `spans`, its characters in the text. Under the rule TEXT a text is encoded whole,
    else word by word.
    DataError for the first input that is neither a text nor a list of words.
    """
    if isinstance(inputs, str):
        raise DataError("texts is one string; give a list of texts, or of lists of words.")
    for number, value in enumerate(inputs):
        if not isinstance(value, str) and not _is_words(value):
            raise DataError(f"texts[{number}] is {value!r:.60}; permitted: a text, or a list of words.")
    encode = _whole if rule == TEXT else _word_by_word
    numbers: dict[int, int] = {}  # equal numbers are one object: a row takes 8 bytes a token
    rows: list[Row] = []
    num_cut = 0
    for start in range(0, len(inputs), _ROWS_AT_ONCE):
        part = inputs[start : start + _ROWS_AT_ONCE]
        spans = [spans_in(value, rule) for value in part]
        found = encode(tokenizer, [joined(value) for value in part], spans)
        for (item, places), words in zip(found, spans, strict=True):
            row = {TOKEN_IDS: item.ids, SEGMENT_IDS: item.type_ids}
            if not segments:
                del row[SEGMENT_IDS]
            rows.append(
                {name: [numbers.setdefault(each, each) for each in ids] for name, ids in row.items()}
                | {"first_pieces": places, "spans": words}
            )
            num_cut += bool(item.overflowing)
    return rows, num_cut


def _whole(tokenizer: Any, texts: list[str], spans: list[list[Span]]) -> list[tuple[Any, list[int]]]:
    found = tokenizer.encode_batch(texts)
    return [(item, pieces_at(item.offsets, words)) for item, words in zip(found, spans, strict=True)]


def _word_by_word(tokenizer: Any, texts: list[str], spans: list[list[Span]]) -> list[tuple[Any, list[int]]]:
    _prefix_spaces(tokenizer)
    words = [[text[start:end] for start, end in row] for text, row in zip(texts, spans, strict=True)]
    found = tokenizer.encode_batch(words, is_pretokenized=True)
    return [(item, first_pieces(item.word_ids, len(row))) for item, row in zip(found, spans, strict=True)]


def _prefix_spaces(tokenizer: Any) -> None:
    """Have a byte-level tokenizer take each word as one that follows a space, as it does in a text."""
    steps = tokenizer.pre_tokenizer
    for step in steps if hasattr(steps, "__getitem__") else [steps]:
        if hasattr(step, "add_prefix_space"):
            step.add_prefix_space = True


def _is_words(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value)
