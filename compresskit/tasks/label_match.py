"""Which class each label of a data set means: by name before by number, and all labels by one rule.

Search matches labels to the head of a checkpoint, bench to the classes of an engine, and both other splits
to those of training. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from compresskit.data.label_values import Label, label_number, label_text
from compresskit.errors import some

_GENERIC = re.compile(r"(?i:label_?)?(\d+)")  # what transformers calls the classes of a head without names
_NUMERAL = re.compile(r"[+-]?\d+(\.\d*)?")
_INTEGER = re.compile(r"\d+")
_TRUTH = {"false": 0.0, "true": 1.0}


@dataclass(frozen=True)
class Match:
    """`find`: the class id of a label, None for one that is no class. `notes`: what the user should know.

    `counts_from_1`: labels were taken for ids, and none is 0.
    """

    find: Callable[[Label], int | None]
    notes: tuple[str, ...] = ()
    counts_from_1: bool = False


class Classes:
    """The names of classes by id, and the ways in which a label may mean one of them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._exact = {name: i for i, name in enumerate(self.names)}
        self._folded = _unique((_fold(name), i) for i, name in enumerate(self.names))
        values = [_value(name) for name in self.names]
        self._are_numbers = None not in values
        self._values = _unique((value, i) for i, value in enumerate(values) if value is not None)
        inner = [_INTEGER.findall(name) for name in self.names]
        self._inner: Mapping[int, int | None] = {}
        generic = [_GENERIC.fullmatch(name) for name in self.names]
        self.are_generic = all(found and int(found[1]) == i for i, found in enumerate(generic))
        if not self.are_generic and all(len(found) == 1 for found in inner):
            self._inner = {int(found[0]): i for i, found in enumerate(inner)}

    def by_name(self, text: str) -> int | None:
        """The class of this name, or the only one that differs in case and spaces alone, or is its number."""
        if text in self._exact:
            return self._exact[text]
        found = self._folded.get(_fold(text))
        if found is None and _fold(text) not in self._folded:
            value = _value(text)
            found = None if value is None else self._values.get(value)
        return found

    def by_inner_number(self, label: Label) -> int | None:
        """The class whose name holds this number, as `3 stars` for 3; every name has to hold its own."""
        number = _whole(label)
        if number is None or len(self._inner) < len(self.names):
            return None
        return self._inner.get(number)

    def by_id(self, label: Label) -> int | None:
        """The class of this id, unless names are numbers; of two classes without names true is the second."""
        if self._are_numbers and not self.are_generic:
            return None
        number = _whole(label)
        if number is None and self.are_generic and len(self.names) == 2:
            truth = _TRUTH.get(_fold(str(label)))
            number = None if truth is None else int(truth)
        return number if number is not None and 0 <= number < len(self.names) else None


def match_labels(
    labels: Iterable[Label], names: Sequence[str], class_names: Sequence[str] = ()
) -> Match | None:
    """How `labels` (the different ones of a data set) mean classes; None where no rule fits all of them.

    `class_names`: the data set's names of integer labels. Names are taken before numbers in names, and these
    before ids. Ids are refused where a label is also the name of another class.
    """
    classes = Classes(names)
    known = list(labels)

    def named(label: Label) -> int | None:
        return classes.by_name(label_text(label, class_names))

    if all(named(label) is not None for label in known):
        return Match(named, _same_class(known, named, classes, class_names))
    if not class_names and all(classes.by_inner_number(label) is not None for label in known):
        note = "labels are numbers and were matched to class names that hold them: "
        return Match(classes.by_inner_number, (note + _pairs(known, classes.by_inner_number, classes),))
    if any(classes.by_id(label) is None for label in known):
        return None
    if any(named(label) not in (None, classes.by_id(label)) for label in known):
        return None
    counts_from_1 = all(classes.by_id(label) != 0 for label in known)
    return Match(classes.by_id, _id_notes(known, classes, class_names, counts_from_1), counts_from_1)


def _id_notes(
    labels: Sequence[Label], classes: Classes, class_names: Sequence[str], counts_from_1: bool
) -> tuple[str, ...]:
    notes = []
    if not classes.are_generic or class_names:
        texts = {label: label_text(label, class_names) for label in labels}
        pairs = _pairs(labels, classes.by_id, classes, texts)
        notes.append(f"labels are not class names and were taken for class ids: {pairs}")
    if counts_from_1:
        notes.append(
            f"no label is 0, so no row is of class {classes.names[0]}: if the labels count from 1, subtract 1"
        )
    return tuple(notes)


def _same_class(
    labels: Sequence[Label],
    find: Callable[[Label], int | None],
    classes: Classes,
    class_names: Sequence[str],
) -> tuple[str, ...]:
    spelt: dict[int | None, set[str]] = {}
    for label in labels:
        spelt.setdefault(find(label), set()).add(label_text(label, class_names))
    return tuple(
        f"labels {', '.join(map(repr, sorted(texts)))} are written differently and were taken for one class, "
        f"{classes.names[number]!r}"
        for number, texts in spelt.items()
        if number is not None and len(texts) > 1
    )


def _pairs(
    labels: Sequence[Label],
    find: Callable[[Label], int | None],
    classes: Classes,
    texts: Mapping[Label, str] | None = None,
) -> str:
    found = {label: find(label) for label in labels}
    order = sorted(found.items(), key=lambda item: (item[1] is None, item[1]))
    shown = [
        f"{(texts or {}).get(label, label)} is {classes.names[i]}" for label, i in order if i is not None
    ]
    return some(shown, 8)


def _fold(text: str) -> str:
    return " ".join(text.split()).casefold()


def _value(text: str) -> float | None:
    """The number that a name stands for, leading zeros aside; true is 1, false 0."""
    folded = _fold(text)
    if folded in _TRUTH:
        return _TRUTH[folded]
    return float(folded) if _NUMERAL.fullmatch(folded) else None


def _whole(label: Label) -> int | None:
    number = label_number(label)
    return int(number) if number is not None and number.is_integer() else None


def _unique(pairs: Iterable[tuple[object, int]]) -> dict[object, int | None]:
    """Ids by key; None under a key that several have."""
    found: dict[object, int | None] = {}
    for key, number in pairs:
        found[key] = None if key in found else number
    return found
