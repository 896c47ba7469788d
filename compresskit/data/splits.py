"""Which rows train, which validate, and which test.

The test set is the labelled test split, else the data set's own validation split, else cut from the rows.
Validation is cut from training. No text stands on two sides, nor inside a text of another side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from compresskit.data.containment import Words, words
from compresskit.data.grouping import DROPPED, Grouping, group_rows, settle
from compresskit.data.strata import choose_groups
from compresskit.data.units import ROWS
from compresskit.errors import DataError

IntArray = npt.NDArray[np.int64]
Texts = Sequence[tuple[str, ...]]
WordRows = Sequence[tuple[Words, ...]]

SMALL_ROWS = 10_000  # below it validation needs a larger part to be worth measuring on
SMALL_FRACTION = 0.3
FRACTION = 0.1
LARGEST_GROUP = 0.005  # of the rows; larger groups would make the mix of a split a matter of luck
TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class Sides:
    """Row positions, ascending; `test` is empty where the test set is given. `notes`: what went."""

    train: IntArray
    validation: IntArray
    test: IntArray
    notes: tuple[str, ...]


def cut_validation(
    texts: Texts, strata: IntArray, test: Texts, *, num_rows: int, seed: int, unit: str = ROWS
) -> Sides:
    """Divide training rows into training and validation, given the test rows.

    `strata`: (rows,) stratum numbers. `num_rows`: rows of the training split before any was left out; it
    decides the fraction. `unit`: what `texts` are of, for notes. Raises DataError when a side would be empty.
    """
    notes = []
    rows, tested = _in_words(texts), _in_words(test)
    standing = {tuple(sorted(row)) for row in tested}
    fresh = np.asarray(
        [i for i, row in enumerate(rows) if tuple(sorted(row)) not in standing], dtype=np.int64
    )
    if len(fresh) < len(rows):
        dropped = len(rows) - len(fresh)
        notes.append(
            f"{dropped:,} of {len(rows):,} training {unit} are also in the test set and were dropped"
        )
    rows = [rows[i] for i in fresh]
    grouping = _grouped(rows)
    fraction = SMALL_FRACTION if num_rows < SMALL_ROWS else FRACTION
    side = _sides(grouping, strata[fresh], {VALIDATION: fraction}, seed)
    notes += _told(side, unit)
    side = _like_test(side, rows, tested, grouping, notes)
    return _cut(side, fresh, notes, unit)


def cut_all(texts: Texts, strata: IntArray, *, seed: int, unit: str = ROWS) -> Sides:
    """Divide the rows of one file: 80 % training, 10 % validation, 10 % test."""
    side = _sides(_grouped(_in_words(texts)), strata, {TEST: 0.1, VALIDATION: 0.1}, seed)
    rows = np.arange(len(texts), dtype=np.int64)
    return _cut(side, rows, _told(side, unit), unit, needs_test=True)


def _in_words(texts: Texts) -> list[tuple[Words, ...]]:
    return [tuple(words(text) for text in row) for row in texts]


def _grouped(rows: WordRows) -> Grouping:
    return group_rows(rows, limit=max(int(LARGEST_GROUP * len(rows)), 10))


def _sides(grouping: Grouping, strata: IntArray, fractions: dict[int, float], seed: int) -> IntArray:
    side = np.full(len(strata), TRAIN, dtype=np.int64)
    for number, fraction in fractions.items():
        free = np.flatnonzero(side == TRAIN)
        if len(free):
            compact = np.unique(strata[free], return_inverse=True)[1].astype(np.int64)
            size = min(max(round(fraction * len(strata)), 1), len(free))
            side[free[choose_groups(grouping.group[free], compact, size, seed + number)]] = number
    return settle(side, grouping.open_ties)


def _told(side: IntArray, unit: str) -> list[str]:
    dropped = int((side == DROPPED).sum())
    if not dropped:
        return []
    return [
        f"{dropped:,} of {len(side):,} {unit} were dropped because they share a text with both training "
        f"and held-out {unit}, or are part of texts of both"
    ]


def _like_test(
    side: IntArray, rows: WordRows, test: WordRows, grouping: Grouping, notes: list[str]
) -> IntArray:
    """Where most rows are parts of other rows (SST-2's phrases), validate on texts as long as the test's.

    Whole texts stay; parts stay from the test set's lower quartile of length on. The others cannot train
    either: the text they are a part of validates.
    """
    if grouping.is_part.mean() <= 0.5:
        return side
    least = float(np.quantile(_lengths(test), 0.25))
    short = (side == VALIDATION) & grouping.is_part & (_lengths(rows) < least)
    if short.any() and (~short & (side == VALIDATION)).any():
        side = np.where(short, DROPPED, side)
        notes.append(
            f"{int(short.sum()):,} short pieces (under {least:.0f} words) of validation texts were dropped, "
            "so that validation resembles the test set"
        )
    return side


def _lengths(rows: WordRows) -> IntArray:
    return np.asarray([sum(map(len, row)) for row in rows], dtype=np.int64)


def _cut(
    side: IntArray, rows: IntArray, notes: Sequence[str], unit: str, *, needs_test: bool = False
) -> Sides:
    parts = [rows[side == number] for number in (TRAIN, VALIDATION, TEST)]
    for name, part in zip(("training", "validation", "test"), parts, strict=True):
        if not len(part) and (name != "test" or needs_test):
            raise DataError(
                f"no row is left for {name} after {len(side)} {unit} were split and those that share texts "
                f"kept together; give more {unit}, or separate train, validation and test files."
            )
    return Sides(parts[TRAIN], parts[VALIDATION], parts[TEST], tuple(notes))
