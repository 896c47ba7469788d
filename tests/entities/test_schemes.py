from __future__ import annotations

import re

import pytest

from compresskit.entities.schemes import find_scheme, split_tag, to_iob2
from compresskit.errors import DataError

# One sentence: two touching PER of two and one words, then a LOC.
IOB2 = ["B-PER", "I-PER", "B-PER", "O", "B-LOC"]
SAME = {
    "IOB1": ["I-PER", "I-PER", "B-PER", "O", "I-LOC"],
    "IOB2": IOB2,
    "BILOU": ["B-PER", "L-PER", "U-PER", "O", "U-LOC"],
}


@pytest.mark.parametrize("name", SAME)
def test_each_scheme_is_told_and_becomes_iob2(name: str) -> None:
    scheme = find_scheme([["O"], SAME[name]], [1, 2], "training")
    assert scheme is not None
    assert (scheme.name, scheme.exceptions) == (name, ())
    assert to_iob2(SAME[name]) == IOB2
    note = scheme.note("training")
    assert (
        note is None
        if name == "IOB2"
        else note == (f"tags of the training split are {name} and were converted to IOB2")
    )


def test_bioes_is_bilou() -> None:
    tags = ["B-PER", "I-PER", "E-PER", "S-LOC"]
    scheme = find_scheme([tags], [1], "training")
    assert scheme is not None and scheme.name == "BILOU"
    assert to_iob2(tags) == ["B-PER", "I-PER", "I-PER", "B-LOC"]


def test_types_keep_their_hyphens_and_touching_types_are_parted() -> None:
    assert split_tag("I-geo-nam") == ("I", "geo-nam")
    assert to_iob2(["I-geo-nam", "I-PER", "I-PER"]) == ["B-geo-nam", "B-PER", "I-PER"]


def test_a_split_without_entities_has_no_scheme() -> None:
    assert find_scheme([["O", "O"]], [1], "test") is None


def test_mixed_iob_is_read_and_its_rows_are_named() -> None:
    rows = [["B-PER", "O"], ["B-PER"], ["O", "I-PER"]]
    scheme = find_scheme(rows, [1, 2, 9], "training")
    assert scheme is not None and (scheme.name, scheme.exceptions) == ("IOB2", (9,))
    assert "IOB2, except in row 9" in str(scheme.note("training"))
    scheme = find_scheme([["I-PER"], ["I-PER"], ["B-PER"]], [4, 5, 6], "training")
    assert scheme is not None and (scheme.name, scheme.exceptions) == ("IOB1", (6,))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["O"], ["PER"], ["PER", "X-LOC"]], "no known scheme: 'PER' in rows 21, 22, 'X-LOC' in row 22"),
        ([["B-PER", "L-PER"], ["S-LOC"]], "mix BILOU (L-, U-) and BIOES (E-, S-): 'S-LOC' in row 21"),
        ([["U-PER"], ["B-PER", "O"], ["L-PER"], ["B-PER", "L-LOC"]], "order is not in rows 21, 22, 23:"),
        ([["U-PER"], ["B-PER"]], "order is not in row 21:"),
    ],
)
def test_other_tags_are_refused_with_their_rows(rows: list[list[str]], message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        find_scheme(rows, range(20, 20 + len(rows)), "training")
