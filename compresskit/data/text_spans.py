"""Labelled spans of characters, as doccano and Label Studio export them, as tags of words.

doccano: `[[start, end, label], ...]`, or `entities` with `start_offset` and `end_offset`. Label Studio: a
list of `start`, `end` and `labels` (its small export), or `annotations` with a `result` (its full one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from compresskit.data.table import Table
from compresskit.entities.schemes import OUTSIDE
from compresskit.entities.words import Span

Labelled = tuple[int, int, str]


def flattened(table: Table) -> Table:
    """Label Studio's full export (`data`, `annotations`) with columns of its own; other tables unchanged."""
    if not {"data", "annotations"} <= set(table.columns) or table.kind("data") != "objects":
        return table
    names = dict.fromkeys(name for data in table.columns["data"] for name in data or {})
    columns = {name: [(data or {}).get(name) for data in table.columns["data"]] for name in names}
    return Table.of({**columns, "label": [_result(found) for found in table.columns["annotations"]]})


def _result(annotations: Any) -> list[Any] | None:
    """Spans of the first annotation that was not cancelled; None where there is none."""
    kept = [each for each in annotations or [] if not each.get("was_cancelled")]
    if not kept:
        return None
    return [part["value"] for part in kept[0]["result"] if part.get("type", "labels") == "labels"]


def spans_of(text: str, values: Sequence[Any]) -> list[Labelled]:
    """Spans of a text, in order, without spaces at their ends; equal ones once.

    Raises ValueError, saying what is wrong, for another form, for spans outside the text or overlapping.
    """
    found = sorted({_trimmed(text, *_span(text, value)) for value in values})
    for (_, end, label), (start, _, other) in pairwise(found):
        if start < end:
            raise ValueError(f"spans overlap ({label!r} and {other!r} at character {start})")
    return found


def tags_of(text: str, spans: Sequence[Labelled], words: Sequence[Span]) -> list[str]:
    """IOB2 tags (words,). Raises ValueError for a span that begins or ends within a word."""
    starts = {start: place for place, (start, _) in enumerate(words)}
    ends = {end: place for place, (_, end) in enumerate(words)}
    tags = [OUTSIDE] * len(words)
    for start, end, label in spans:
        if start not in starts or end not in ends:
            raise ValueError(
                f"a span does not meet the borders of words ({text[start:end]!r:.40} is {label!r})"
            )
        first, last = starts[start], ends[end]
        tags[first : last + 1] = [f"B-{label}", *[f"I-{label}"] * (last - first)]
    return tags


def _span(text: str, value: Any) -> Labelled:
    if isinstance(value, Mapping):
        start = value.get("start_offset", value.get("start"))
        end = value.get("end_offset", value.get("end"))
        labels = value.get("labels", value.get("label"))
        written = value.get("text")
    else:
        start, end, labels = value if isinstance(value, Sequence) and len(value) == 3 else (None, None, None)
        written = None
    names = [labels] if isinstance(labels, str) else list(labels or ())
    if type(start) is not int or type(end) is not int or len(names) != 1 or not names[0]:
        raise ValueError(f"a span is not start, end and one label ({value!r:.60})")
    if isinstance(written, str) and text[start:end] != written:
        # Browsers count UTF-16 code units, two for a character beyond the basic plane.
        start, end = (len(_units(text)[: 2 * place].decode("utf-16-le", "ignore")) for place in (start, end))
        if text[start:end] != written:
            raise ValueError(f"a span's text is not what stands at its place ({written!r:.40})")
    if not 0 <= start < end <= len(text):
        raise ValueError(f"a span lies outside the text ({start} to {end} of {len(text)} characters)")
    return start, end, str(names[0])


def _units(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")


def _trimmed(text: str, start: int, end: int, label: str) -> Labelled:
    inner = text[start:end]
    if not inner.strip():
        raise ValueError(f"a span holds no character but spaces ({start} to {end})")
    return start + len(inner) - len(inner.lstrip()), end - len(inner) + len(inner.rstrip()), label
