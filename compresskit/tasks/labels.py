"""What kind of task the labels make, and the number each label has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.errors import ConfigurationError, DataError, one_of
from compresskit.tasks.rows import Label, Rows

KINDS = ("classification", "regression")


@dataclass(frozen=True)
class Labels:
    """How labels become numbers. `names`: by class id; regression has no names and a single output."""

    kind: str
    names: tuple[str, ...]
    ids: Mapping[Label, int]

    @property
    def num_labels(self) -> int:
        return len(self.names) if self.kind == "classification" else 1

    def encode(self, rows: Rows) -> npt.NDArray[Any]:
        """(rows,) int64 class ids, or float32 numbers. Raises DataError for a label not in training."""
        if self.kind == "regression":
            return np.asarray(_numbers(rows), dtype=np.float32)
        unknown: dict[Label, list[int]] = {}
        for label, number in zip(rows.labels, rows.numbers, strict=True):
            if label not in self.ids:
                unknown.setdefault(label, []).append(number)
        if unknown:
            found = "; ".join(f"{label!r} in {_rows(where)}" for label, where in list(unknown.items())[:5])
            raise DataError(
                f"labels of the {rows.split} split are not in training: {found}. Training has "
                f"{_some(self.ids)}. Correct these rows, leave them out, or add examples to training."
            )
        return np.asarray([self.ids[label] for label in rows.labels], dtype=np.int64)


def read_labels(
    train: Rows,
    *,
    kind: str | None = None,
    class_names: Sequence[str] = (),
    label2id: Mapping[str, int] | None = None,
) -> Labels:
    """Kind of task and label ids, from the training rows and, if given, the head of a fine-tuned checkpoint.

    Labels that are not all whole numbers or text make a regression; else classes, numbered in sorted order.
    `class_names`: names of integer labels. `label2id`: of the checkpoint; labels must be among its names,
    or be among its ids. Raises DataError when labels do not fit the kind or the checkpoint.
    """
    if kind is not None and kind not in KINDS:
        raise ConfigurationError(one_of("task", kind, KINDS))
    numeric = all(not isinstance(label, str) for label in train.labels)
    fractional = any(isinstance(label, float) for label in train.labels)
    if kind is None:
        single = label2id is not None and len(label2id) == 1
        kind = "regression" if numeric and (fractional or single) else "classification"
    if kind == "regression":
        _numbers(train)
        if label2id is not None and len(label2id) > 1:
            raise DataError(
                f"labels are numbers for regression, but the checkpoint's head has the classes "
                f"{_some(label2id)}; give a checkpoint with one output, or one that is not fine-tuned."
            )
        return Labels(kind, (), {})
    if fractional:
        value = next(label for label in train.labels if isinstance(label, float))
        raise DataError(
            f"the label column holds numbers such as {value}, which are no classes; permitted: text or whole "
            "numbers. For numbers, choose regression."
        )
    classes = sorted(set(train.labels), key=lambda label: (isinstance(label, str), label))
    if len(classes) < 2:
        raise DataError(f"training has one label only, {classes[0]!r}; a classifier needs two or more.")
    if len(classes) > max(20, len(train) // 2):
        raise DataError(
            f"the label column has {len(classes)} different values in {len(train)} rows, too many for "
            "classes; name another with --label-column" + (", or choose regression." if numeric else ".")
        )
    names = {label: _name(label, class_names) for label in classes}
    if label2id is not None:
        return _fitted(names, label2id)
    return Labels(kind, tuple(names.values()), {label: i for i, label in enumerate(classes)})


def _fitted(names: Mapping[Label, str], label2id: Mapping[str, int]) -> Labels:
    by_id = {number: name for name, number in label2id.items()}
    known = tuple(by_id[number] for number in sorted(by_id))
    plain = {name.casefold(): number for name, number in label2id.items()}
    if set(by_id) == set(range(len(label2id))):
        if all(name.casefold() in plain for name in names.values()) and len(plain) == len(label2id):
            return Labels("classification", known, {k: plain[n.casefold()] for k, n in names.items()})
        if all(isinstance(label, int) and label in by_id for label in names):
            return Labels("classification", known, {label: int(label) for label in names})
    raise DataError(
        f"labels {_some(names.values())} do not fit the head of the checkpoint, which has "
        f"{_some(f'{number}: {name}' for name, number in label2id.items())}; rename the labels to its names "
        "or ids, or give a checkpoint that is not fine-tuned."
    )


def _name(label: Label, class_names: Sequence[str]) -> str:
    if isinstance(label, int) and 0 <= label < len(class_names):
        return class_names[label]
    return str(label)


def _numbers(rows: Rows) -> list[float]:
    for label, number in zip(rows.labels, rows.numbers, strict=True):
        if isinstance(label, str) or not isfinite(label):
            raise DataError(
                f"label {label!r} in row {number} of the {rows.split} split is not a number; regression "
                "needs a number in every row."
            )
    return [float(label) for label in rows.labels]


def _rows(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return f"row{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers[:5]))}{more}"


def _some(values: Any) -> str:
    shown = [str(value) for value in values]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
