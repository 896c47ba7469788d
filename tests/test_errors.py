"""What other libraries say, as it is quoted."""

from __future__ import annotations

from compresskit.errors import reason_of


def test_a_reason_is_one_plain_line() -> None:
    assert reason_of(ValueError("first\n  \x1b[1msecond\x1b[0m.")) == "first second"
    assert reason_of(ValueError()) == "ValueError"
    assert reason_of(KeyError("gelu_x")) == "'gelu_x' is not known"
    assert len(reason_of(ValueError("x" * 1000))) == 300
