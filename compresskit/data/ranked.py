"""Queries with passages to be ranked: a pair a row, or a query a row with lists of passages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from compresskit.data.columns import check_text, find_text_columns
from compresskit.data.conventions import LABELS, first_present
from compresskit.data.label_values import label_number, typed_label, written_labels
from compresskit.data.table import Table
from compresskit.errors import DataError, row_list

QUERIES = ("query", "question", "anchor")
PASSAGES = ("passage", "document", "doc", "text", "context", "answer", "sentence")
LISTS = ("passages", "documents", "docs", "candidates", "passage_text")
POSITIVES = ("positive", "positives", "pos")
NEGATIVES = ("negative", "negatives", "neg")
RELEVANCE = ("relevance", "relevances", "is_relevant", "is_selected", "scores", *LABELS)
_TRUTH = {"true": 1.0, "false": 0.0}
_UNLABELLED = -1  # the mark of the hub's data sets


@dataclass(frozen=True)
class RankedLayout:
    """Names of the columns. `passages`: a text or a list of texts a row, of several columns all of them.

    `labels`: of these passages; None where they have none, or where `negatives` hold those without relevance.
    """

    query: str
    passages: tuple[str, ...]
    labels: str | None = None
    negatives: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the texts: the query's first."""
        return (self.query, *self.passages, *self.negatives)


@dataclass(frozen=True, eq=False)
class RankedRows:
    """Complete pairs of one split. `relevance`: from 0, of each pair; None in a split without labels.

    `num_missing`: passages that were left out because a text or the label was missing or blank.
    """

    split: str
    pairs: list[tuple[str, str]]
    relevance: list[float] | None
    num_missing: int

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def note(self) -> str | None:
        """How many were left out; None when none was."""
        if not self.num_missing:
            return None
        return (
            f"{self.num_missing:,} of {self.num_missing + len(self):,} passages of the {self.split} split "
            "lack a text or label and were dropped"
        )

    def values(self) -> Iterator[tuple[str, ...]]:
        """All that each pair holds."""
        for place, pair in enumerate(self.pairs):
            yield (*pair, "" if self.relevance is None else f"{self.relevance[place]:g}")


def unfolded(table: Table) -> Table:
    """With the fields of objects as columns: MS MARCO has texts and marks of its passages in one."""
    columns: dict[str, Sequence[Any]] = {}
    for name in table.names:
        values = table.columns[name]
        objects = [value for value in values if isinstance(value, Mapping)]
        for inner in dict.fromkeys(key for value in objects for key in value):
            columns[inner] = [None if value is None else value.get(inner) for value in values]
    if not columns:
        return table
    columns |= {name: values for name, values in table.columns.items() if table.kind(name) != "objects"}
    return replace(table, names=tuple(columns), columns=columns)


def find_layout(
    table: Table, text_columns: Sequence[str] = (), label_column: str | None = None
) -> RankedLayout | None:
    """The columns of queries and passages by their names, or as named; None where there are none."""
    if label_column is not None and label_column not in table.names:
        return None
    if text_columns:
        known = len(text_columns) == 2 and all(name in table.names for name in text_columns)
        return _labelled(table, text_columns[0], text_columns[1], label_column) if known else None
    query = first_present(table.names, QUERIES)
    if query is None:
        return None
    positives, negatives = (_named(table.names, names) for names in (POSITIVES, NEGATIVES))
    if positives and negatives and label_column is None:
        return RankedLayout(query, positives, None, negatives)
    for names, kind in ((LISTS, "lists"), (PASSAGES, "text")):
        others = [name for name in table.names if name not in (query, label_column)]
        passages = first_present([name for name in others if table.kind(name) == kind], names)
        if passages is not None:
            return _labelled(table, query, passages, label_column)
    return None


def layout_of(table: Table, text_columns: Sequence[str], label_column: str | None) -> RankedLayout:
    """As `find_layout`, of pairs by any usual names; DataError, naming the columns present, for others."""
    if label_column is not None and table.names.count(label_column) != 1:
        raise DataError(f"column {label_column!r} is missing; columns present: {', '.join(table.names)}.")
    if text_columns and len(text_columns) != 2:
        raise DataError(
            f"text columns {', '.join(text_columns)}; a reranker reads two, the query's and the passages'. "
            "Name both, in this order."
        )
    found = find_layout(table, text_columns, label_column)
    if found is None:
        label = label_column or first_present(table.names, RELEVANCE) or ""
        columns = find_text_columns(table, label, text_columns or None)
        if len(columns) != 2:
            raise DataError(
                f"no queries with passages found; columns present: {table.described()}. "
                "A reranker needs pairs of texts "
                "(query, passage), a query with lists (passages, labels), or with positives and negatives. "
                "Name both with --text-column."
            )
        found = _labelled(table, *columns, label_column)
    return found


def has_relevance(table: Table, layout: RankedLayout) -> bool:
    """Whether any passage has a label; -1 everywhere is the hub's mark of a split without any."""
    if layout.negatives:
        return True
    found = {_relevance(mark) for row in _rows(table, layout) for mark in row[1]}
    return bool(found - {None, _UNLABELLED})


def read_ranked(split: str, table: Table, layout: RankedLayout, *, labelled: bool) -> RankedRows:
    """All pairs with both texts and, where `labelled`, a relevance.

    Raises DataError for absent or mistyped columns, for no pair left, and, with row numbers, for passages
    that are no texts, lists of unequal length, and labels that are not numbers from 0.
    """
    for column in (*layout.columns, *filter(None, [layout.labels])):
        if column not in table.columns and (labelled or column != layout.labels):
            raise DataError(f"the {split} split has no column {column!r}; it has: {', '.join(table.names)}.")
    if not table.num_rows:
        raise DataError(f"the {split} split is empty; it needs one row or more.")
    check_text(table, layout.query)
    rows = list(_rows(table, layout))
    _check(split, rows, labelled)
    pairs: list[tuple[str, str]] = []
    relevance: list[float] = []
    missing = unlabelled = 0
    for query, (passages, marks) in zip(table.columns[layout.query], rows, strict=True):
        values = map(_relevance, marks) if labelled else [0.0] * len(passages)
        missing += not passages
        for passage, value in zip(passages, values, strict=True):
            unlabelled += value == _UNLABELLED
            if _blank(query) or _blank(passage) or value in (None, _UNLABELLED):
                missing += 1
            else:
                pairs.append((query, passage))
                relevance.append(value)
    if not pairs:
        needed = "a query, a passage and its label" if labelled else "a query and a passage"
        raise DataError(f"no row of the {split} split has {needed} ({', '.join(layout.columns)}).")
    if unlabelled and min(relevance) > 0:
        raise DataError(
            f"the {split} split has {unlabelled:,} labels of {_UNLABELLED}, which marks a passage without a "
            "label, and none of 0: write 0 for passages that are not relevant."
        )
    return RankedRows(split, pairs, relevance if labelled else None, missing)


def _rows(table: Table, layout: RankedLayout) -> Iterator[tuple[list[Any], list[Any]]]:
    """Of each row its passages, and their labels as they were written: of another number where they are."""
    labels: Sequence[Any] = [None] * table.num_rows
    if layout.labels is not None and layout.labels in table.columns:
        labels = table.columns[layout.labels]
        labels = labels if table.is_typed else written_labels(labels)
    for place, mark in enumerate(labels):
        sides = [
            [each for name in names for each in _items(table.columns[name][place])]
            for names in (layout.passages, layout.negatives)
        ]
        if layout.negatives:
            yield sides[0] + sides[1], [1] * len(sides[0]) + [0] * len(sides[1])
        else:
            yield sides[0], [None] * len(sides[0]) if mark is None else _items(mark)


def _check(split: str, rows: Sequence[tuple[list[Any], list[Any]]], labelled: bool) -> None:
    """DataError naming the rows of which something is wrong."""
    texts, unequal, wrong = list[int](), list[int](), list[int]()
    for number, (passages, marks) in enumerate(rows, start=1):
        if not all(isinstance(passage, str | None) for passage in passages):
            texts.append(number)
        if labelled and len(marks) != len(passages):
            unequal.append(number)
        if labelled and not all(map(_is_relevance, map(_relevance, marks))):
            wrong.append(number)
    for numbers, what in (
        (texts, "a passage is not text"),
        (unequal, "there are not as many labels as passages"),
        (wrong, "a label is neither a number from 0 nor true or false"),
    ):
        if numbers:
            raise DataError(f"the {split} split, {row_list(numbers)}: {what}. Correct these rows.")


def _labelled(table: Table, query: str, passages: str, label_column: str | None) -> RankedLayout:
    others = [name for name in table.names if name not in (query, passages)]
    return RankedLayout(query, (passages,), label_column or first_present(others, RELEVANCE))


def _named(columns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """All columns of one of `names`, or of the first of them with a number, as `negative_2`."""
    return tuple(name for name in columns if re.sub(r"_\d+$", "", name.strip().lower()) in names)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _relevance(mark: Any) -> float | None:
    """None where there is no label, nan where it is no number."""
    label = typed_label(mark)
    if label is None:
        return None
    number = _TRUTH.get(str(label).lower(), label_number(label))
    return float("nan") if number is None else number


def _is_relevance(value: float | None) -> bool:
    return value is None or value == _UNLABELLED or 0 <= value < inf


def _blank(text: str | None) -> bool:
    return not text or text.isspace()
