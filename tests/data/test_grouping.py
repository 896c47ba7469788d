from __future__ import annotations

import numpy as np

from compresskit.data.containment import words
from compresskit.data.grouping import DROPPED, Grouping, Tie, group_rows, settle


def grouped(*rows: str | tuple[str, ...], limit: int = 100) -> Grouping:
    pairs = [(row,) if isinstance(row, str) else row for row in rows]
    return group_rows([tuple(words(text) for text in row) for row in pairs], limit)


def test_equal_and_contained_texts_share_a_group() -> None:
    found = grouped("a b c", "B c", "a  b c", "d e", "c b")
    group = found.group.tolist()
    assert group[0] == group[1] == group[2]
    assert len({group[0], group[3], group[4]}) == 3
    assert found.is_part.tolist() == [False, True, False, False, False]
    assert found.open_ties == ()


def test_pairs_that_share_one_sentence_share_a_group() -> None:
    group = grouped(("a b", "c d"), ("e f", "A B"), ("x y", "c d z"), ("g h", "i j")).group.tolist()
    assert group[0] == group[1] == group[2] != group[3]


def test_a_tie_over_the_limit_stays_open() -> None:
    found = grouped("it", "it is a", "it is b", "it was c", limit=3)
    assert found.open_ties == (Tie((0,), (1, 2, 3)),)
    assert len(set(found.group.tolist())) == 4


def test_settling_drops_the_text_that_stands_on_both_sides() -> None:
    tie = Tie((0,), (1, 2, 3, 4))
    assert settle(np.asarray([0, 0, 0, 1, 1]), [tie]).tolist() == [DROPPED, 0, 0, 1, 1]
    assert settle(np.asarray([0, 0, 0, 0, 0]), [tie]).tolist() == [0, 0, 0, 0, 0]


def test_settling_drops_the_smaller_side_of_rows_that_share_a_text() -> None:
    assert settle(np.asarray([0, 0, 0, 1]), [Tie((0, 1, 2, 3), ())]).tolist() == [0, 0, 0, DROPPED]
    assert settle(np.asarray([0, 1, 0, 2]), [Tie((0, 1, 2, 3), ())]).tolist() == [0, DROPPED, 0, DROPPED]


def test_settling_prefers_one_stray_container_to_many_copies() -> None:
    assert settle(np.asarray([0, 0, 0, 1]), [Tie((0, 1, 2), (3,))]).tolist() == [0, 0, 0, DROPPED]
