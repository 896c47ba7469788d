from __future__ import annotations

from collections.abc import Sequence

from compresskit.data.fingerprint import rows_fingerprint
from compresskit.data.label_values import Label
from compresskit.data.rows import Rows


def rows(texts: Sequence[str], labels: Sequence[Label], split: str = "train") -> Rows:
    return Rows(split, [(text,) for text in texts], list(labels), list(range(1, len(texts) + 1)), 0)


def test_rows_labels_order_and_split_count() -> None:
    variants = [
        [rows("ab", "01")],
        [rows("ab", "10")],
        [rows("ba", "01")],
        [rows("ab", "01", "test")],
        [rows("a", "0"), rows("b", "1", "test")],
        [rows(["ab", ""], "01")],
        [rows("abc", "010")],
    ]
    assert len({rows_fingerprint(splits) for splits in variants}) == len(variants)


def test_the_way_a_number_is_stored_does_not_count() -> None:
    assert rows_fingerprint([rows("ab", [0, 1])]) == rows_fingerprint([rows("ab", ["0", "1"])])
    assert rows_fingerprint([rows("ab", [0, 1])], ("n", "y")) == rows_fingerprint([rows("ab", ["n", "y"])])
    assert rows_fingerprint([rows("ab", ["001", "002"])]) != rows_fingerprint([rows("ab", [1, 2])])
