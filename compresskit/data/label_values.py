"""What a label is: text, a whole number or a number, as it was written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

Label = str | int | float

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"-?(0|[1-9]\d*)")
_CODE = re.compile(r"[+-]?0\d+(\.\d*)?")  # leading zeros make a code, not a number
# What spreadsheets and data frames write for a number that is missing.
_NO_NUMBER = {"na", "n/a", "#n/a", "nan", "-nan", "null", "none"}


def typed_label(value: Any) -> Label | None:
    """A label of a file that knows types: whole floats become whole numbers; None for a blank or NaN."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, (float, Decimal)):
        number = float(value)
        if number != number:
            return None
        return int(number) if number.is_integer() else number
    return value if isinstance(value, int) else None


def written_labels(values: Sequence[str | None]) -> list[Label | None]:
    """Labels of a CSV column: numbers where all are numbers, else the text that was written.

    Codes with leading zeros (001) stay text, and so do whole numbers that are written with a fraction (1.0)
    unless another label of the column has a true one. Words such as NA mean a missing label among numbers
    alone: among text they are classes.
    """
    written = {value: value.strip() if value else "" for value in set(values)}
    found = set(written.values()) - {""}
    present = {text for text in found if text.casefold() not in _NO_NUMBER}
    if not present or not all(_NUMBER.fullmatch(text) and not _CODE.fullmatch(text) for text in present):
        labels: dict[str, Label] = {text: text for text in found}
    elif all(_WHOLE.fullmatch(text) for text in present):
        labels = {text: int(text) for text in present}
    elif all(float(text).is_integer() for text in present if isfinite(float(text))):
        labels = {text: text for text in present}
    else:
        labels = {text: _number(text) for text in present}
    return [labels.get(written[value]) for value in values]


def label_text(label: Label, class_names: Sequence[str] = ()) -> str:
    """What a label is called: its class name where it is the number of one, else as it was written."""
    if isinstance(label, int) and 0 <= label < len(class_names):
        return class_names[label]
    return str(label)


def label_number(label: Label) -> float | None:
    """The number that a label is or is written as; None for other text and for codes such as 001."""
    if not isinstance(label, str):
        return float(label)
    return float(label) if _NUMBER.fullmatch(label) and not _CODE.fullmatch(label) else None


def _number(text: str) -> Label:
    number = float(text)
    return int(number) if isfinite(number) and number.is_integer() else number
