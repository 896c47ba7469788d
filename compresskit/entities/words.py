"""Words of a raw text and where they lie in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

Span = tuple[int, int]  # first character, and the one after the last
Text = str | Sequence[str]  # raw, or as words

# How a model's texts are divided: "text": raw texts, each punctuation mark a word; "marks": texts that came
# as words, none with marks inside; "words": as words that keep marks inside, such as U.S. and 1996-08-30.
TEXT, MARKS, WORDS = "text", "marks", "words"
RULES = (TEXT, MARKS, WORDS)
_POSSESSIVE = ("'s", "\u2019s")


def word_spans(text: str, rule: str) -> list[Span]:
    """Words of `text` in order. `rule`: one of `RULES`."""
    split = _with_marks_inside if rule == WORDS else _at_marks
    return [span for start, end in _between_spaces(text) for span in split(text, start, end)]


def spans_in(text: Text, rule: str) -> list[Span]:
    """Where the words of a row lie in its text (see `joined`)."""
    if isinstance(text, str):
        return word_spans(text, rule)
    spans, place = [], 0
    for word in text:
        spans.append((place, place + len(word)))
        place += len(word) + 1
    return spans


def joined(text: Text) -> str:
    """A raw text as it is; words that came apart with one space between."""
    return text if isinstance(text, str) else " ".join(text)


def word_rule(rows: Sequence[Sequence[str]]) -> str:
    """The rule by which a raw text gives words like these: WORDS if one mixes letters and marks."""
    kept = any(_is_mixed(word) for row in rows for word in row)
    return WORDS if kept else MARKS


def _is_mixed(word: str) -> bool:
    return len(word) > 1 and any(map(_in_word, word)) and not all(map(_in_word, word))


def _in_word(character: str) -> bool:
    """Letters, numbers, what is written upon them (Hindi's vowels), and joiners without a width."""
    return character == "_" or unicodedata.category(character) in _LETTERS


_LETTERS = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Cf"}


def _is_ideograph(character: str) -> bool:
    """Chinese characters, which are written without spaces and of which tokenizers make words."""
    return "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"


def _between_spaces(text: str) -> Iterator[Span]:
    start = None
    for place, character in enumerate(text):
        if character.isspace():
            if start is not None:
                yield start, place
            start = None
        elif start is None:
            start = place
    if start is not None:
        yield start, len(text)


def _at_marks(text: str, start: int, end: int) -> Iterator[Span]:
    place = start
    for key, group in groupby(range(start, end), lambda i: _in_word(text[i]) and not _is_ideograph(text[i])):
        size = len(list(group))
        if key:
            yield place, place + size
        else:
            yield from ((i, i + 1) for i in range(place, place + size))
        place += size


def _with_marks_inside(text: str, start: int, end: int) -> Iterator[Span]:
    """Marks at both ends are words of their own, equal ones together; the period of U.S. and J. stays."""
    first, last = start, end
    while first < end and not _in_word(text[first]):
        first += 1
    while last > first and not _in_word(text[last - 1]):
        last -= 1
    if last < end and text[last] == "." and _is_shortened(text[first:last]):
        last += 1
    yield from _runs(text, start, first)
    stem = next((last - 2 for ending in _POSSESSIVE if text[first:last].endswith(ending)), last)
    if first < stem < last:
        yield from ((first, stem), (stem, last))
    elif first < last:
        yield first, last
    yield from _runs(text, last, end)


def _is_shortened(word: str) -> bool:
    parts = word.split(".")
    return all(map(str.isalpha, parts)) and (len(parts) > 1 or (len(word) == 1 and word.isupper()))


def _runs(text: str, start: int, end: int) -> Iterator[Span]:
    for _, group in groupby(range(start, end), lambda i: text[i]):
        places = list(group)
        yield places[0], places[-1] + 1
