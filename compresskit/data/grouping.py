"""Rows that must stay in the same split, and which links are ignored where they would join everything.

A tie is one text with all rows that hold it or hold a text that contains it. Ties are joined, smallest
first, into groups of at most `limit` rows. In data made of phrases (SST-2) a few short texts stand in
thousands of others; a tie too large to join is settled after the sides are chosen, by `settle`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from compresskit.data.containment import Words, containers

IntArray = npt.NDArray[np.int64]
DROPPED = -1


@dataclass(frozen=True)
class Tie:
    """Rows that hold one text (`centre`), and rows that hold a text containing it (`around`)."""

    centre: tuple[int, ...]
    around: tuple[int, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(self.centre + self.around))


@dataclass(frozen=True)
class Grouping:
    """`group`: (rows,) number of each row's group. `open_ties`: those that no group holds whole.

    `is_part`: (rows,) whether every text of the row stands inside a text of another row.
    """

    group: IntArray
    open_ties: tuple[Tie, ...]
    is_part: npt.NDArray[np.bool_]


def group_rows(rows: Sequence[tuple[Words, ...]], limit: int) -> Grouping:
    """Group rows (one or more texts each, in words) that share a text or hold one text inside another."""
    holders: dict[Words, list[int]] = {}
    for row, held in enumerate(rows):
        for text in dict.fromkeys(held):
            holders.setdefault(text, []).append(row)
    texts = list(holders)
    around = containers(texts)
    parts = np.ones(len(rows), dtype=np.bool_)
    ties = []
    for text, outer in zip(texts, around, strict=True):
        centre = tuple(holders[text])
        outside = dict.fromkeys(row for position in outer for row in holders[texts[position]])
        beyond = tuple(row for row in outside if row not in centre)
        if not beyond:
            parts[list(centre)] = False
        if len(centre) + len(beyond) > 1:
            ties.append(Tie(centre, beyond))
    ties.sort(key=lambda tie: len(tie.centre) + len(tie.around))
    sets = _DisjointSets(len(rows))
    open_ties = tuple(tie for tie in ties if not sets.join(tie.rows, limit))
    roots = [sets.find(row) for row in range(len(rows))]
    group = np.unique(np.asarray(roots, dtype=np.int64), return_inverse=True)[1]
    return Grouping(group.astype(np.int64), open_ties, parts)


def settle(side: IntArray, ties: Sequence[Tie]) -> IntArray:
    """Drop the fewest rows so that no tie reaches over two sides.

    `side`: (rows,) number of each row's side, `DROPPED` for none. Of each tie either the text itself goes
    (all rows that hold it), or all rows but those of one side. Returns the new sides.
    """
    side = side.copy()
    for tie in ties:
        rows = np.asarray(tie.rows, dtype=np.int64)
        rows = rows[side[rows] != DROPPED]
        sides = np.unique(side[rows])
        if len(sides) < 2:
            continue
        choices = [np.asarray([row for row in tie.centre if side[row] != DROPPED], dtype=np.int64)]
        if not len(choices[0]):
            continue
        if len(set(tie.centre)) == len(tie.rows):
            choices = []  # the text is all they share: dropping it would drop every one of them
        choices += [rows[side[rows] != kept] for kept in sides]
        side[min(choices, key=len)] = DROPPED
    return side


class _DisjointSets:
    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self._size = [1] * count

    def find(self, member: int) -> int:
        root = member
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[member] != root:
            self._parent[member], member = root, self._parent[member]
        return root

    def join(self, members: Sequence[int], limit: int) -> bool:
        """Join all members into one set, unless it would have more than `limit`; True when they are one."""
        roots = list(dict.fromkeys(self.find(member) for member in members))
        size = sum(self._size[root] for root in roots)
        if len(roots) > 1 and size > limit:
            return False
        for root in roots[1:]:
            self._parent[root] = roots[0]
        self._size[roots[0]] = size
        return True
