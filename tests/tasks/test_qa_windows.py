"""Windows of contexts."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer

from compresskit.errors import DataError
from compresskit.inputs import PART, Row
from compresskit.tasks.examples import IGNORED
from compresskit.tasks.qa_windows import BEGINS, CONTEXT, ENDS, encode_windows, marks
from tests.engine.tokenizer_kinds import KINDS
from tests.tasks.make import tokenizer

TEN = " ".join(f"w{i}" for i in range(10, 20))


def cutting(max_length: int, of: Tokenizer | None = None) -> Any:
    serving: Any = tokenizer().backend_tokenizer if of is None else of
    serving.no_padding()
    serving.enable_truncation(max_length)
    return serving


def covered(row: Row) -> list[str]:
    return [row[CONTEXT][a:b] for a, b in zip(row[BEGINS], row[ENDS], strict=True) if a >= 0]


def test_windows_overlap_by_a_third_of_what_a_question_leaves() -> None:
    rows, num_cut = encode_windows([(" w1 w2 ", TEN), ("w1", "w3")], cutting(11), segments=True)
    assert [row[PART] for row in rows] == [(0, 2), (1, 2), (0, 1)] and num_cut == 0
    words = TEN.split()
    assert [covered(row) for row in rows] == [words[:6], words[4:], ["w3"]]
    ids = tokenizer()(["w1 w2"], [" ".join(words[:6])])
    assert rows[0]["input_ids"] == ids["input_ids"][0]
    assert rows[0]["token_type_ids"] == ids["token_type_ids"][0]
    assert all(len(row["input_ids"]) <= 11 for row in rows)
    assert "token_type_ids" not in encode_windows([("w1", TEN)], cutting(9), segments=False).rows[0]


def test_the_overlap_has_a_limit() -> None:
    rows, _ = encode_windows([("w1", "w2 " * 1000)], cutting(404), segments=False)
    assert [len(covered(row)) for row in rows] == [400, 400, 400, 1000 - 3 * (400 - 128)]


def test_a_question_takes_at_most_half() -> None:
    rows, num_cut = encode_windows([(TEN, "w1 w2 w3 w4 w5"), ("w1", "")], cutting(11), segments=True)
    assert num_cut == 1 and rows[0]["input_ids"][:6] == rows[1]["input_ids"][:6]
    assert [covered(row) for row in rows] == [["w1", "w2", "w3", "w4"], ["w4", "w5"], []]
    assert rows[2][PART] == (0, 1)


def test_the_side_on_which_a_tokenizer_cuts_does_not_matter() -> None:
    serving, context = cutting(11), "w1 w2 w3 w4 w5 " * 9
    wanted = encode_windows([("w1", context)], serving, segments=False).rows
    serving.enable_truncation(11, direction="left")
    found = encode_windows([("w1", context)], serving, segments=False).rows
    assert [row["input_ids"] for row in found] == [row["input_ids"] for row in wanted]
    assert [covered(row) for row in found] == [covered(row) for row in wanted]
    assert serving.truncation["max_length"] == 11  # an engine's tokenizer stays as it is


def test_a_tokenizer_that_does_not_cut() -> None:
    serving: Any = tokenizer().backend_tokenizer
    serving.no_truncation()
    (row,) = encode_windows([(TEN, TEN)], serving, segments=False).rows
    assert covered(row) == TEN.split()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_tokenizer_reads_a_pair_as_ever(kind: str) -> None:
    """Tokens, segments and characters of the whole pair: none is lost where windows meet."""
    question, context = "what was  good?", "The soup, at all,  was not good; the bréad was better! " * 3
    whole = KINDS[kind]()
    same = Tokenizer.from_str(whole.to_str())
    whole.no_padding()
    whole.no_truncation()
    wanted = whole.encode(question, context)
    (row,) = encode_windows([(question, context)], cutting(1000, same), segments=True).rows
    assert (row["input_ids"], row["token_type_ids"]) == (wanted.ids, wanted.type_ids)
    inside = [place for place, of in zip(wanted.offsets, wanted.sequence_ids, strict=True) if of == 1]
    assert [(a, b) for a, b in zip(row[BEGINS], row[ENDS], strict=True) if a >= 0] == inside
    parts, _ = encode_windows([(question, context)], cutting(30, same), segments=True)
    assert len(parts) > 1
    places = {place for part in parts for place in zip(part[BEGINS], part[ENDS], strict=True)} - {(-1, -1)}
    stripped = {context[a:b].strip() and (b - len(context[a:b].lstrip()), b) for a, b in places}
    assert stripped == {context[a:b].strip() and (b - len(context[a:b].lstrip()), b) for a, b in inside}


def test_where_an_answer_stands() -> None:
    first, second, third = encode_windows([("w1 w2", TEN)], cutting(10), segments=False).rows
    out, (before, start, last) = [IGNORED] * 3, (TEN.index(word) for word in ("w13", "w14", "w18"))
    assert marks(first, start, start + 3).tolist() == [0, *out, 0, 0, 0, 0, 3, IGNORED]
    assert marks(first, before + 1, start + 1).tolist() == [0, *out, 0, 0, 0, 1, 2, IGNORED]
    assert marks(second, start, start + 3).tolist() == [0, *out, 3, 0, 0, 0, 0, IGNORED]
    assert marks(third, start, start + 3).tolist() == [3, *out, 0, 0, IGNORED]
    assert marks(third, start, last + 3).tolist() == [3, *out, 0, 0, IGNORED]  # its last word alone
    assert marks(first, IGNORED, IGNORED).tolist() == [3, *out, 0, 0, 0, 0, 0, IGNORED]


@pytest.mark.parametrize("wrong", ["text", ("a", "b", "c"), ("a", None), {"question": "a"}, 3])
def test_other_inputs_are_refused(wrong: Any) -> None:
    with pytest.raises(DataError, match=r"questions\[1\] is .*permitted: a \(question, context\) pair"):
        encode_windows([("w1", "w2"), wrong], cutting(11), segments=False)
    with pytest.raises(DataError, match="one string"):
        encode_windows("w1", cutting(11), segments=False)
