"""The number that each label has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.data.label_values import Label, label_number, label_text
from compresskit.data.rows import Rows
from compresskit.errors import DataError, row_list, some
from compresskit.tasks.label_match import Classes, match_labels


@dataclass(frozen=True)
class Labels:
    """How labels become numbers. `names`: by class id; regression has no names and a single output.

    `find`: the class id of a label, None for one that is no class. `notes`: what the user should know.
    """

    kind: str
    names: tuple[str, ...]
    find: Callable[[Label], int | None]
    notes: tuple[str, ...] = ()

    def encode(self, rows: Rows) -> npt.NDArray[Any]:
        """(rows,) int64 class ids, or float32 numbers. Raises DataError for a label that is no class."""
        if self.kind == "regression":
            return np.asarray(_numbers(rows), dtype=np.float32)
        ids = {label: self.find(label) for label in set(rows.labels)}
        unknown: dict[Label, list[int]] = {}
        for label, number in zip(rows.labels, rows.numbers, strict=True):
            if ids[label] is None:
                unknown.setdefault(label, []).append(number)
        if unknown:
            found = "; ".join(f"{label!r} in {row_list(where)}" for label, where in list(unknown.items())[:5])
            raise DataError(
                f"labels of the {rows.split} split are not in training: {found}. Training has "
                f"{some(self.names)}. Correct these rows, leave them out, or add examples to training."
            )
        return np.asarray([ids[label] for label in rows.labels], dtype=np.int64)

    def spelling_note(self, rows: Rows) -> str | None:
        """Labels of another split that are written otherwise than in training; None where there are none."""
        if self.kind == "regression":
            return None
        pairs = {str(label): self.find(label) for label in set(rows.labels) if isinstance(label, str)}
        other = [
            f"{text!r} for {self.names[i]!r}"
            for text, i in sorted(pairs.items())
            if i is not None and text not in self.names
        ]
        return f"labels of the {rows.split} split are spelled differently: {some(other)}" if other else None


def read_labels(
    train: Rows,
    *,
    kind: str = "classification",
    class_names: Sequence[str] = (),
    label2id: Mapping[str, int] | None = None,
) -> Labels:
    """Label ids, from the training rows and, if given, the head of a fine-tuned checkpoint.

    Classes are numbered in sorted order; regression has none.
    `class_names`: names of integer labels. `label2id`: of the checkpoint; labels are matched to it as
    `match_labels` says. Raises DataError when labels do not fit the kind or the checkpoint.
    """
    known = set(train.labels)
    numeric = all(label_number(label) is not None for label in known)
    fractional = any(isinstance(label, float) for label in known)
    _check_commas(train)
    if kind == "regression":
        _numbers(train)
        if label2id is not None and len(label2id) > 1:
            raise DataError(
                f"labels are numbers for regression, but the checkpoint's head has the classes "
                f"{some(label2id)}; give a checkpoint with one output, or one that is not fine-tuned."
            )
        return Labels(kind, (), lambda _: None)
    if fractional:
        value = next(label for label in train.labels if isinstance(label, float))
        raise DataError(
            f"the label column holds numbers such as {value}, which are not classes; permitted: text or "
            "whole numbers. For numbers, choose regression."
        )
    classes = sorted(known, key=lambda label: (isinstance(label, str), label))
    if len(classes) < 2:
        raise DataError(f"training has one label only, {classes[0]!r}; a classifier needs two or more.")
    if len(classes) > max(20, len(train) // 2):
        raise DataError(
            f"the label column has {len(classes)} different values in {len(train)} rows, too many for "
            "classes; name another with --label-column" + (", or choose regression." if numeric else ".")
        )
    if label2id is not None:
        return _fitted(classes, class_names, label2id)
    return _new_classes(classes, class_names)


def _check_commas(rows: Rows) -> None:
    """DataError where all numbers are written with a comma for the point, or are whole."""
    written = [label for label in rows.labels if isinstance(label, str)]
    commas = [label for label in written if re.fullmatch(r"\s*[+-]?\d+,\d+\s*", label)]
    others = (label_number(label) for label in rows.labels if label not in set(commas))
    if commas and None not in set(others):
        raise DataError(
            f"labels such as {commas[0]!r} are written with decimal commas: write points, such as "
            f"{commas[0].strip().replace(',', '.')}."
        )


def _new_classes(labels: Sequence[Label], class_names: Sequence[str]) -> Labels:
    """Classes of a head that is still to be trained; one number that is written in two ways is one class."""
    texts = list(dict.fromkeys(label_text(label, class_names) for label in labels))
    values = [label_number(text) for text in texts]
    names, notes = texts, []
    if None not in values:
        first: dict[float | None, str] = {}
        for text, value in sorted(zip(texts, values, strict=True), key=lambda item: len(item[0])):
            first.setdefault(value, text)
        names = [text for text in texts if text in first.values()]
        merged = [f"{t!r} and {first[v]!r}" for t, v in zip(texts, values, strict=True) if first[v] != t]
        if merged:
            notes.append(f"labels that are one number were taken for one class: {some(merged)}")
    notes += _look_alikes(names)
    classes = Classes(names)
    return Labels(
        "classification",
        tuple(names),
        lambda label: classes.by_name(label_text(label, class_names)),
        (*notes,),
    )


def _look_alikes(names: Sequence[str]) -> list[str]:
    """Classes of their own that may be meant for one: case or spaces differ, or leading zeros."""
    notes = []
    for what, key in (
        ("case or spaces", lambda name: " ".join(name.split()).casefold()),
        ("leading zeros", lambda name: name.lstrip("0") if name.isdecimal() else name),
    ):
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(key(name), []).append(name)
        notes += [
            f"labels {', '.join(map(repr, group))} differ in {what} alone and are {len(group)} classes"
            for group in groups.values()
            if len(group) > 1
        ]
    return notes


def _fitted(labels: Sequence[Label], class_names: Sequence[str], label2id: Mapping[str, int]) -> Labels:
    by_id = {number: name for name, number in label2id.items()}
    if set(by_id) == set(range(len(label2id))):
        names = tuple(by_id[number] for number in range(len(by_id)))
        found = match_labels(labels, names, class_names)
        if found is not None and found.counts_from_1 and not class_names:
            raise DataError(
                f"labels {some(labels)} may be class ids of the checkpoint, of which 0 ({names[0]}) has no "
                f"row, or count from 1. Write the names of its classes instead: {some(names)}."
            )
        if found is not None:
            return Labels("classification", names, found.find, found.notes)
    raise DataError(
        f"labels {some(label_text(label, class_names) for label in labels)} do not fit the head of the "
        f"checkpoint, which has {some(f'{number}: {name}' for name, number in label2id.items())}; rename "
        "the labels to its names or ids, or give a checkpoint that is not fine-tuned."
    )


def engine_ids(
    rows: Rows, names: Sequence[str], class_names: Sequence[str], source: str
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """(labels,) class ids of an engine whose classes have `names`, and notes on how labels were understood.

    `class_names`: the data set's names of integer labels. DataError, naming `source`, for other labels.
    """
    labels = list(dict.fromkeys(rows.labels))
    match = match_labels(labels, names, class_names)
    ids = {} if match is None else {label: match.find(label) for label in labels}
    if match is None or None in ids.values():
        raise DataError(_unknown(rows, labels, names, source))
    return np.array([ids[label] for label in rows.labels], dtype=np.int64), match.notes


def _unknown(rows: Rows, labels: Sequence[Label], names: Sequence[str], source: str) -> str:
    odd = next((label for label in labels if match_labels([label], names) is None), None)
    if odd is not None:
        return (
            f"{source}, row {rows.numbers[rows.labels.index(odd)]}: label {odd!r} is not one of the "
            f"engine's; permitted: {', '.join(names)}, or 0 to {len(names) - 1} where these are no names."
        )
    return (
        f"{source}: some labels are names of the engine's classes and some are not: "
        f"{', '.join(map(str, labels[:8]))}; permitted: {', '.join(names)}. Rename the labels."
    )


def absent_note(name: str, ids: npt.NDArray[Any], names: Sequence[str]) -> str | None:
    """Which classes have no row in a split, and how many; None where all have, and for regression."""
    absent = sorted(set(range(len(names))) - set(np.unique(ids).tolist()))
    if not absent:
        return None
    return f"classes without a {name} row: {len(absent)} of {len(names)} ({some(names[i] for i in absent)})"


def _numbers(rows: Rows) -> list[float]:
    numbers = []
    for label, place in zip(rows.labels, rows.numbers, strict=True):
        number = label_number(label)
        if number is None or not isfinite(number):
            raise DataError(
                f"label {label!r} in row {place} of the {rows.split} split is not a number; regression "
                "needs a number in every row."
            )
        numbers.append(number)
    return numbers
