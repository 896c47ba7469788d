"""What other libraries say, as it is quoted; values of messages."""

from __future__ import annotations

from compresskit.errors import reason_of, row_list, some


def test_a_reason_is_one_plain_line() -> None:
    assert reason_of(ValueError("first\n  \x1b[1msecond\x1b[0m.")) == "first second"
    assert reason_of(ValueError()) == "ValueError"
    assert reason_of(KeyError("gelu_x")) == "'gelu_x' is not known"
    assert len(reason_of(ValueError("x" * 1000))) == 300


def test_the_first_of_many_are_named() -> None:
    assert some([1, "b"]) == "1, b"
    assert some(range(14), 3) == "0, 1, 2 and 11 more"
    assert row_list([4]) == "row 4" and row_list([4, 9]) == "rows 4, 9"
    assert row_list(range(1, 9)) == "rows 1, 2, 3, 4, 5 and 3 more"
