"""Entities counted as CoNLL's conlleval does: right only with both ends and the type right.

Source: Tjong Kim Sang and De Meulder, Introduction to the CoNLL-2003 Shared Task, 2003, and conlleval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.entities.schemes import OUTSIDE, split_tag

IntArray = npt.NDArray[np.int64]
IGNORED = -100  # behind a row's last word, and of pieces that carry no tag


@dataclass(frozen=True)
class TagSet:
    """IOB2 tags by id, such as ("O", "B-PER", "I-PER"). Raises ValueError for another tag."""

    names: tuple[str, ...]

    @classmethod
    def of_types(cls, types: Sequence[str]) -> TagSet:
        return cls((OUTSIDE, *(f"{prefix}-{kind}" for kind in types for prefix in "BI")))

    @property
    def outside(self) -> int:
        return self.names.index(OUTSIDE)

    @cached_property
    def types(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(kind for name in self.names if (kind := split_tag(name)[1])))

    @cached_property
    def kinds(self) -> IntArray:
        """(tags + 1,) number of each tag's type, -1 for O; the last is that of IGNORED, -1."""
        found = [split_tag(name)[1] for name in self.names]
        return np.asarray([*(self.types.index(kind) if kind else -1 for kind in found), -1], dtype=np.int64)

    @cached_property
    def begins(self) -> npt.NDArray[np.bool_]:
        """(tags + 1,) whether the tag is a B-."""
        return np.asarray([*(name.startswith("B-") for name in self.names), False])

    @cached_property
    def inside(self) -> IntArray:
        """(tags,) the I- tag of each tag's type, O of O."""
        found = [name.replace("B-", "I-", 1) if name.startswith("B-") else name for name in self.names]
        return np.asarray([self.names.index(name) for name in found], dtype=np.int64)

    def ids(self, rows: Sequence[Sequence[str]]) -> IntArray:
        """(rows, most words) tag ids, `IGNORED` behind shorter rows. KeyError for an unknown tag."""
        number = {name: i for i, name in enumerate(self.names)}
        return padded([[number[tag] for tag in row] for row in rows])


@dataclass(frozen=True, eq=False)
class Chunks:
    """Entities of many rows, (entities,) each: words `start` up to, without, `end` of `row`.

    `marked`: whether its first tag is a B-.
    """

    row: IntArray
    start: IntArray
    end: IntArray
    kind: IntArray
    marked: npt.NDArray[np.bool_]


def padded(rows: Sequence[Sequence[int]]) -> IntArray:
    """(rows, longest) with `IGNORED` behind shorter rows."""
    found = np.full((len(rows), max(map(len, rows), default=0)), IGNORED, dtype=np.int64)
    for row, values in zip(found, rows, strict=True):
        row[: len(values)] = values
    return found


def alike(answers: IntArray, labels: IntArray) -> tuple[IntArray, IntArray]:
    """Both (rows, words), with IGNORED behind the narrower one's."""
    width = max(answers.shape[1], labels.shape[1])
    first, second = (
        np.pad(each, ((0, 0), (0, width - each.shape[1])), constant_values=IGNORED)
        for each in (answers, labels)
    )
    return first, second


def find_chunks(tags: IntArray, tag_set: TagSet) -> Chunks:
    """Entities in tags (rows, words): one begins at B-, and at an I- that follows no tag of its type."""
    tags = np.maximum(tags, -1)
    kinds = tag_set.kinds[tags]
    border = np.full((len(tags), 1), -1)
    before = np.concatenate([border, kinds[:, :-1]], axis=1)
    begins = (kinds >= 0) & (tag_set.begins[tags] | (kinds != before))
    after = np.concatenate([begins[:, 1:], border == -1], axis=1)
    following = np.concatenate([kinds[:, 1:], border], axis=1)
    ends = (kinds >= 0) & (after | (kinds != following))
    row, start = np.nonzero(begins)
    return Chunks(row, start, np.nonzero(ends)[1] + 1, kinds[row, start], tag_set.begins[tags[row, start]])


def entity_counts(truth: IntArray, guess: IntArray, tag_set: TagSet, *, strict: bool = False) -> IntArray:
    """(rows, 3) entities that are right, that were guessed, and that there are.

    `truth`, `guess`: tag ids (rows, words). `strict`: a guess counts only if it begins with B-, as
    seqeval's strict mode with IOB2 has it; by default any I- can begin one, as in conlleval.
    """
    rows, width = truth.shape
    wanted, found = find_chunks(truth, tag_set), find_chunks(guess, tag_set)

    def keys(chunks: Chunks) -> IntArray:
        place = (chunks.row * (width + 1) + chunks.start) * (width + 1) + chunks.end
        return np.asarray(place * len(tag_set.names) + chunks.kind, dtype=np.int64)

    counted = found.marked if strict else np.ones(len(found.row), dtype=np.bool_)
    right = counted & np.isin(keys(found), keys(wanted))
    columns = (found.row[right], found.row[counted], wanted.row)
    return np.stack([np.bincount(each, minlength=rows) for each in columns], axis=1).astype(np.int64)


def entity_f1(counts: npt.NDArray[Any]) -> Any:
    """F1 of counts (..., 3) as `entity_counts` gives them, summed over rows; 0 where there is no entity."""
    right, guessed, there = (np.asarray(counts[..., i], dtype=np.float64) for i in range(3))
    return 2 * right / np.maximum(guessed + there, 1)


def f1_by_type(
    truth: IntArray, guess: IntArray, tag_set: TagSet, *, strict: bool = False
) -> dict[str, tuple[float, int]]:
    """F1 of the entities of each type, and how many there are; arguments as of `entity_counts`."""
    found = {}
    for number, name in enumerate(tag_set.types):
        true, said = (
            np.where(tag_set.kinds[np.maximum(tags, -1)] == number, tags, tag_set.outside)
            for tags in (truth, guess)
        )
        counts = entity_counts(true, said, tag_set, strict=strict).sum(0)
        found[name] = float(entity_f1(counts)), int(counts[2])
    return found


def constant_tag(tags: IntArray, tag_set: TagSet, *, strict: bool = False) -> int:
    """The tag that scores best on `tags` when every word gets it; O where none scores."""
    best, chosen = 0.0, tag_set.outside
    for tag in range(len(tag_set.names)):
        guess = np.where(tags == IGNORED, IGNORED, tag)
        score = float(entity_f1(entity_counts(tags, guess, tag_set, strict=strict).sum(0)))
        if score > best:
            best, chosen = score, tag
    return chosen
