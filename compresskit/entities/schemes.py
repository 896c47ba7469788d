"""Schemes of entity tags: IOB1, IOB2 and BILOU are told apart and become IOB2.

IOB1 (Ramshaw and Marcus, 1995; CoNLL-2003 as distributed) writes B- only between two touching entities of one
type, IOB2 at the start of every entity. BILOU (Ratinov and Roth, 2009) also marks the last word and single
words; BIOES is BILOU with E- for L- and S- for U-.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from compresskit.errors import DataError, row_list, some

OUTSIDE = "O"
PERMITTED = "O and B- or I- before a type (IOB1, IOB2), or B-, I-, L-, U- (BILOU), or B-, I-, E-, S- (BIOES)"
_TAG = re.compile(r"([BILUES])-(.+)")
_SAME = str.maketrans("ES", "LU")

Tags = Sequence[str]


@dataclass(frozen=True)
class Scheme:
    """`name`: IOB1, IOB2 or BILOU. `exceptions`: numbers of rows in which IOB tags follow the other one."""

    name: str
    exceptions: tuple[int, ...] = ()

    def note(self, split: str) -> str | None:
        """What the user should know; None for plain IOB2."""
        if self.exceptions:
            return (
                f"tags of the {split} split are {self.name}, except in {row_list(self.exceptions)}; an I- "
                "tag that follows no tag of its type begins an entity"
            )
        if self.name == "IOB2":
            return None
        return f"tags of the {split} split are {self.name} and were converted to IOB2"


def split_tag(tag: str) -> tuple[str, str]:
    """Prefix and type of a tag, BIOES spelled as BILOU; ("O", "") outside. ValueError for no tag."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    match = _TAG.fullmatch(tag)
    if match is None:
        raise ValueError(f"{tag!r} is no entity tag; permitted: {PERMITTED}")
    return match[1].translate(_SAME), match[2]


def find_scheme(rows: Sequence[Tags], numbers: Sequence[int], split: str) -> Scheme | None:
    """The scheme of all tags of a split; None where no row has an entity.

    `numbers`: of the rows, for messages. Raises DataError for tags of no known scheme, for L- or U- beside E-
    or S-, and for tags in an order that BILOU does not permit.
    """
    _check_forms(rows, numbers, split)
    letters = {tag[0] for row in rows for tag in set(row)} - {OUTSIDE}
    if not letters:
        return None
    if letters <= {"B", "I"}:
        return _iob(rows, numbers)
    if letters & {"L", "U"} and letters & {"E", "S"}:
        raise DataError(
            f"tags of the {split} split mix BILOU (L-, U-) and BIOES (E-, S-): "
            f"{_where(rows, numbers, lambda tag: tag[0] in 'ES')}. Write them in one scheme."
        )
    wrong = [number for number, row in zip(numbers, rows, strict=True) if not _is_bilou(row)]
    if wrong:
        raise DataError(
            f"tags of the {split} split are BILOU, but their order is not in {row_list(wrong)}: an entity is "
            "U-, or B-, any number of I-, and L-, all of one type. Correct these rows."
        )
    return Scheme("BILOU")


def to_iob2(tags: Tags) -> list[str]:
    """One row's tags of any of these schemes as IOB2."""
    found: list[str] = []
    before = ""
    for tag in tags:
        prefix, kind = split_tag(tag)
        begins = prefix in ("B", "U") or kind != before
        found.append(tag if prefix == OUTSIDE else f"{'B' if begins else 'I'}-{kind}")
        before = kind
    return found


def _check_forms(rows: Sequence[Tags], numbers: Sequence[int], split: str) -> None:
    unknown = {tag for row in rows for tag in row if tag != OUTSIDE and not _TAG.fullmatch(tag)}
    if unknown:
        raise DataError(
            f"tags of the {split} split follow no known scheme: "
            f"{_where(rows, numbers, unknown.__contains__)}. Permitted: {PERMITTED}. If these are "
            "texts without tags, name their task, such as --task embedding."
        )


def _iob(rows: Sequence[Tags], numbers: Sequence[int]) -> Scheme:
    """IOB2 if most entities that can tell begin with B-, else IOB1."""
    rows_of: dict[str, list[int]] = {"IOB1": [], "IOB2": []}
    for number, row in zip(numbers, rows, strict=True):
        before = ""
        for tag in row:
            prefix, kind = split_tag(tag)
            if kind and kind != before:
                rows_of["IOB2" if prefix == "B" else "IOB1"].append(number)
            before = kind
    name = "IOB2" if len(rows_of["IOB2"]) >= len(rows_of["IOB1"]) else "IOB1"
    other = rows_of["IOB1" if name == "IOB2" else "IOB2"]
    return Scheme(name, tuple(dict.fromkeys(other)))


def _is_bilou(row: Tags) -> bool:
    inside = ""
    for tag in row:
        prefix, kind = split_tag(tag)
        if prefix in ("I", "L"):
            if kind != inside:
                return False
        elif inside:
            return False
        inside = kind if prefix in ("B", "I") else ""
    return not inside


def _where(rows: Sequence[Tags], numbers: Sequence[int], chosen: Callable[[str], bool]) -> str:
    """The chosen tags, each with its rows."""
    found: dict[str, dict[int, None]] = {}
    for number, row in zip(numbers, rows, strict=True):
        for tag in row:
            if chosen(tag):
                found.setdefault(tag, {})[number] = None
    return some([f"{tag!r} in {row_list([*where])}" for tag, where in found.items()], 5)
