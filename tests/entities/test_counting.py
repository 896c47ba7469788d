from __future__ import annotations

import numpy as np
import pytest

from compresskit.entities.counting import (
    IGNORED,
    TagSet,
    constant_tag,
    entity_counts,
    entity_f1,
    find_chunks,
    padded,
)

TAGS = TagSet.of_types(("PER", "LOC"))
MISC = TagSet.of_types(("MISC", "PER"))

# Random rows, with what seqeval 1.2.2 gave for them: by default, and with mode="strict", scheme=IOB2.
TRUTH = """B-PER I-PER B-LOC O B-LOC|B-PER O B-PER O B-PER B-LOC B-PER|B-LOC O B-LOC B-PER|B-PER
B-PER B-PER B-LOC B-PER|O B-PER B-LOC I-LOC B-LOC B-PER B-PER|O|B-PER B-PER
B-PER I-PER I-PER B-PER B-LOC B-PER B-PER|B-PER B-LOC B-PER O B-PER B-LOC|B-PER I-PER|B-PER"""
GUESS = """I-PER I-PER I-LOC O B-LOC|B-PER B-LOC B-PER O I-PER B-LOC B-PER|I-PER O I-LOC B-PER|B-PER
B-LOC B-PER B-LOC B-PER|O B-PER B-LOC I-LOC B-LOC B-PER B-PER|O|B-PER B-PER
O I-PER B-PER B-PER I-LOC I-PER B-PER|B-PER B-LOC I-PER O I-PER B-LOC|B-PER I-PER|I-PER"""
SEQEVAL, SEQEVAL_STRICT = 0.888888888888889, 0.7540983606557377


def ids(text: str) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return TAGS.ids([row.split() for row in text.replace("\n", "|").split("|")])


def test_as_seqeval_counts() -> None:
    truth, guess = ids(TRUTH), ids(GUESS)
    assert entity_f1(entity_counts(truth, guess, TAGS).sum(0)) == pytest.approx(SEQEVAL, abs=1e-12)
    strict = entity_counts(truth, guess, TAGS, strict=True)
    assert entity_f1(strict.sum(0)) == pytest.approx(SEQEVAL_STRICT, abs=1e-12)


def test_example_of_seqeval() -> None:
    truth = MISC.ids([["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]])
    guess = MISC.ids([["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]])
    counts = entity_counts(truth, guess, MISC)
    assert counts.tolist() == [[0, 1, 1], [1, 1, 1]]
    assert entity_f1(counts.sum(0)) == 0.5


def conlleval(truth: list[str], guess: list[str]) -> list[int]:
    """One row as conlleval's loop counts it, transcribed for B-, I- and O."""

    def parts(tag: str) -> tuple[str, str]:
        return tag[0], tag[2:]

    def ends(before: str, tag: str) -> bool:
        (last, last_kind), (now, kind) = parts(before), parts(tag)
        return last != "O" and (now in "BO" or last_kind != kind)

    def starts(before: str, tag: str) -> bool:
        (last, last_kind), (now, kind) = parts(before), parts(tag)
        return now != "O" and (now == "B" or last == "O" or last_kind != kind)

    right = found = wanted = 0
    inside = False
    last_true, last_guess = "O", "O"
    for true, said in zip([*truth, "O"], [*guess, "O"], strict=True):
        if inside:
            true_ends, guess_ends = ends(last_true, true), ends(last_guess, said)
            if true_ends and guess_ends and last_true[2:] == last_guess[2:]:
                inside = False
                right += 1
            elif true_ends != guess_ends or true[2:] != said[2:]:
                inside = False
        true_starts, guess_starts = starts(last_true, true), starts(last_guess, said)
        inside = inside or (true_starts and guess_starts and true[2:] == said[2:])
        wanted += true_starts
        found += guess_starts
        last_true, last_guess = true, said
    return [right, found, wanted]


def test_as_conlleval_counts() -> None:
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, len(TAGS.names), (2, rng.integers(1, 9))) for _ in range(400)]
    truth, guess = (padded([row[side].tolist() for row in rows]) for side in (0, 1))
    expected = [conlleval(*([TAGS.names[tag] for tag in side] for side in row)) for row in rows]
    assert entity_counts(truth, guess, TAGS).tolist() == expected
    assert sum(row[0] for row in expected) > 50


def test_entities_lie_within_their_row() -> None:
    chunks = find_chunks(TAGS.ids([["B-PER", "I-PER"], ["I-PER"], ["O", "B-LOC"]]), TAGS)
    found = zip(chunks.row, chunks.start, chunks.end, chunks.kind, chunks.marked, strict=True)
    assert [tuple(map(int, each)) for each in found] == [(0, 0, 2, 0, 1), (1, 0, 1, 0, 0), (2, 1, 2, 1, 1)]


def test_another_type_or_an_end_beside_it_is_wrong() -> None:
    truth = TAGS.ids([["B-PER", "I-PER", "O"]])
    for tags in (["B-LOC", "I-LOC", "O"], ["B-PER", "O", "O"], ["B-PER", "I-PER", "I-PER"]):
        assert entity_counts(truth, TAGS.ids([tags]), TAGS).tolist() == [[0, 1, 1]]
    assert entity_counts(truth, TAGS.ids([["B-PER", "I-LOC", "O"]]), TAGS).tolist() == [[0, 2, 1]]


def test_no_entity_at_all_is_zero() -> None:
    nothing = TAGS.ids([["O", "O"]])
    assert entity_f1(entity_counts(nothing, nothing, TAGS).sum(0)) == 0.0


def test_the_best_constant_tag() -> None:
    singles = TAGS.ids([["B-PER"], ["B-PER", "B-LOC"], ["O"]])
    assert TAGS.names[constant_tag(singles, TAGS)] == "B-PER"
    whole = TAGS.ids([["B-LOC", "I-LOC"], ["B-LOC", "I-LOC", "I-LOC"], ["B-PER"]])
    assert TAGS.names[constant_tag(whole, TAGS)] == "I-LOC"
    assert TAGS.names[constant_tag(whole, TAGS, strict=True)] == "B-PER"
    assert TAGS.names[constant_tag(TAGS.ids([["O"]]), TAGS)] == "O"


def test_tags_by_id() -> None:
    assert TAGS.names == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    other = TagSet(("I-LOC", "B-LOC", "O"))
    assert (other.outside, other.types, other.inside.tolist()) == (2, ("LOC",), [0, 0, 2])
    assert other.ids([["B-LOC"], ["O", "I-LOC"]]).tolist() == [[1, IGNORED], [2, 0]]
