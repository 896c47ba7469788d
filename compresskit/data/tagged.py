"""Rows of tagged words, read from words with tags or from texts with labelled spans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from compresskit.data.conventions import TEXTS, first_present
from compresskit.data.table import Table
from compresskit.data.text_spans import spans_of, tags_of
from compresskit.entities.schemes import Scheme, find_scheme, to_iob2
from compresskit.entities.words import TEXT, word_rule, word_spans
from compresskit.errors import DataError, row_list

TOKENS = ("tokens", "words")
TAGS = ("ner_tags", "tags", "ner", "labels", "label")
SPANS = ("label", "labels", "entities", "spans")

Text = str | tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """Names of the columns. `words`: the text column holds lists of words, else texts with spans."""

    text: str
    labels: str
    words: bool


@dataclass(frozen=True, eq=False)
class TaggedRows:
    """Complete rows of one split. `texts`: raw, or as words. `tags`: IOB2, of each row's words.

    `rule`: how a raw text is divided into such words (see `entities.words`). `numbers`: places in the data
    set, from 1. `scheme`: of the file; None without entities. `num_missing`: rows that were left out.
    """

    split: str
    texts: list[Text]
    tags: list[list[str]]
    rule: str
    numbers: list[int]
    scheme: Scheme | None
    num_missing: int

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def notes(self) -> list[str]:
        """What the user should know of how the rows were read."""
        notes = [self.scheme and self.scheme.note(self.split)]
        if self.num_missing:
            notes.append(
                f"{self.num_missing:,} of {self.num_missing + len(self):,} rows of the {self.split} split "
                "lack words or tags and were dropped"
            )
        return [note for note in notes if note]

    @property
    def values(self) -> list[tuple[str, ...]]:
        """All that each row holds."""
        return [
            (*((text,) if isinstance(text, str) else text), *tags)
            for text, tags in zip(self.texts, self.tags, strict=True)
        ]

    @property
    def types(self) -> set[str]:
        return {tag[2:] for row in self.tags for tag in row} - {""}


def find_layout(
    table: Table, text_columns: Sequence[str] | None = None, label_column: str | None = None
) -> Layout | None:
    """The columns of words and tags, or of texts and spans; None where the table has no such columns."""
    if text_columns and len(text_columns) > 1:
        return None
    lists = [name for name in table.names if table.kind(name) == "lists"]
    given = text_columns[0] if text_columns else None
    words = given or first_present(lists, TOKENS)
    if words in lists and _holds_text(table, words):
        others = [name for name in lists if name != words]
        tags = label_column or first_present(others, TAGS)
        return Layout(words, tags, words=True) if tags in lists else None
    text = given or first_present(table.names, TEXTS)
    spans = label_column or first_present(lists, SPANS)
    if text is None or text not in table.names or not table.is_text(text) or spans not in lists:
        return None
    if _holds_names(table, spans):
        return None
    return Layout(text, spans, words=False)


def layout_of(table: Table, text_columns: Sequence[str], label_column: str | None) -> Layout:
    """As `find_layout`; DataError, naming the columns present, where there are no such columns."""
    if len(text_columns) > 1:
        raise DataError(f"text columns {', '.join(text_columns)}; token classification reads one. Name it.")
    found = find_layout(table, text_columns, label_column)
    if found is None:
        raise DataError(
            f"no words with tags found; columns present: {table.described()}. "
            "Token classification needs lists of words "
            "and of as many tags (such as tokens and ner_tags), or texts with a list of labelled spans. Name "
            "them with --text-column and --label-column."
        )
    return found


def _holds_text(table: Table, column: str) -> bool:
    return all(isinstance(each, str | None) for values in table.columns[column] for each in values or ())


def _holds_names(table: Table, column: str) -> bool:
    """Whether lists are of names or numbers, where spans are lists or objects."""
    return any(isinstance(each, str | int) for values in table.columns[column] for each in values or ())


def read_tagged(split: str, table: Table, layout: Layout, names: Sequence[str] = ()) -> TaggedRows:
    """Rows that have words and tags. `names`: of tags that are numbers, where the file has no names.

    Raises DataError, with row numbers, for tags of another number than words, numbers without a name,
    unknown schemes, and spans that overlap, lie outside the text or end within a word; and for no row.
    """
    for column in (layout.text, layout.labels):
        if column not in table.columns:
            raise DataError(f"the {split} split has no column {column!r}; it has: {', '.join(table.names)}.")
    texts, labels = table.columns[layout.text], table.columns[layout.labels]
    kept = [i for i in range(len(texts)) if texts[i] and labels[i] is not None and _has_words(texts[i])]
    if not kept:
        raise DataError(f"no row of the {split} split has both {layout.text} and {layout.labels}.")
    known = table.class_names.get(layout.labels, ()) or names
    read: Callable[[Any, Any], tuple[Text, list[str]]] = (
        (lambda words, tags: _row_of_words(words, tags, known)) if layout.words else _row_of_text
    )
    rows: list[tuple[Text, list[str]]] = []
    wrong: dict[str, list[int]] = {}
    for i in kept:
        try:
            rows.append(read(texts[i], labels[i]))
        except ValueError as error:
            wrong.setdefault(str(error), []).append(i + 1)
    if wrong:
        raise DataError(
            f"the {split} split, columns {layout.text} and {layout.labels}: "
            + "; ".join(f"{row_list(where)}: {what}" for what, where in list(wrong.items())[:5])
            + (f"; and {sum(map(len, list(wrong.values())[5:]))} rows more" if len(wrong) > 5 else "")
            + ". Correct these rows."
        )
    numbers = [i + 1 for i in kept]
    tags = [row[1] for row in rows]
    scheme = find_scheme(tags, numbers, split)
    words = [text for text, _ in rows if not isinstance(text, str)]
    return TaggedRows(
        split,
        [text for text, _ in rows],
        [to_iob2(row) for row in tags],
        word_rule(words) if layout.words else TEXT,
        numbers,
        scheme,
        len(texts) - len(kept),
    )


def check_types(rows: TaggedRows, known: Sequence[str]) -> None:
    """Raise DataError for entity types that are not in training, naming their rows."""
    unknown: dict[str, dict[int, None]] = {}
    for number, tags in zip(rows.numbers, rows.tags, strict=True):
        for kind in {tag[2:] for tag in tags} - {"", *known}:
            unknown.setdefault(kind, {})[number] = None
    if unknown:
        found = "; ".join(f"{kind!r} in {row_list([*where])}" for kind, where in sorted(unknown.items())[:5])
        raise DataError(
            f"entity types of the {rows.split} split are not in training: {found}. Training has "
            f"{', '.join(known)}. Correct these rows, leave them out, or add examples to training."
        )


def _has_words(text: Any) -> bool:
    return not isinstance(text, str) or not text.isspace()


def _row_of_words(words: Any, tags: Any, names: Sequence[str]) -> tuple[Text, list[str]]:
    if len(words) != len(tags):
        raise ValueError(f"{len(words)} words, {len(tags)} tags")
    if not all(isinstance(word, str) for word in words):
        raise ValueError("a word is missing or no text")
    return tuple(words), [_tag(tag, names) for tag in tags]


def _tag(tag: Any, names: Sequence[str]) -> str:
    if isinstance(tag, str):
        return tag.strip()
    if type(tag) is not int:
        raise ValueError(f"tag {tag!r} is neither text nor a whole number")
    if not names:
        raise ValueError(
            "tags are numbers and the file has no names for them; write names such as B-PER, or parquet with "
            "ClassLabel names"
        )
    if not 0 <= tag < len(names):
        raise ValueError(f"tag {tag} is not one of the {len(names)} named ones, 0 to {len(names) - 1}")
    return names[tag]


def _row_of_text(text: str, values: Any) -> tuple[Text, list[str]]:
    return text, tags_of(text, spans_of(text, values), word_spans(text, TEXT))
