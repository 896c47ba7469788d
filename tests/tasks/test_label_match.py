from __future__ import annotations

import pytest

from compresskit.data.label_values import Label
from compresskit.tasks.label_match import match_labels

STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
GENERIC = tuple(f"LABEL_{i}" for i in range(5))
ABC = ("c", "a", "b")


@pytest.mark.parametrize(
    ("labels", "names", "ids"),
    [
        (["001", "002"], ("001", "002", "003"), [0, 1]),
        ([1, 2], ("001", "002", "003"), [0, 1]),  # a column that lost its zeros
        (["001", "2"], ("1", "2"), [0, 1]),
        (["1.0", 2], ("1", "2"), [0, 1]),
        ([1, 2], ("1.0", "2.0"), [0, 1]),
        ([1, 2], ("2", "1"), [1, 0]),  # names before ids
        ([-1, 1], ("-1", "1"), [0, 1]),
        (["POS", " neg "], ("neg", "pos"), [1, 0]),
        (["very  good"], ("Very good", "bad"), [0]),
        (["a", "A"], ("A", "a"), [1, 0]),
        (["True", "false"], ("false", "true"), [1, 0]),
        (["true", "false"], ("0", "1"), [1, 0]),
        (["True", "False"], ("LABEL_0", "LABEL_1"), [1, 0]),
        ([0, 1], ("True", "False"), [1, 0]),
        ([1, 5], STARS, [0, 4]),
        (["1", "3"], STARS, [0, 2]),
        ([0, 4], STARS, [0, 4]),
        ([0, 4], GENERIC, [0, 4]),
        (["0.0", "1.0"], ("bad", "good"), [0, 1]),
    ],
)
def test_labels_mean_classes(labels: list[Label], names: tuple[str, ...], ids: list[int]) -> None:
    found = match_labels(labels, names)
    assert found is not None and [found.find(label) for label in labels] == ids


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([1, 5], GENERIC),  # counted from 1
        ([-1, 1], ("LABEL_0", "LABEL_1")),
        ([0, 1, 2, 3, 4], ("1", "2", "3", "4", "5")),  # ids or names: neither fits all of them
        ([0], ("1", "2")),
        (["001"], GENERIC),
        (["True", "False"], ("bad", "good")),
        (["a", "b"], ("A", "a", "B", "b ", " B")),  # "b" may be three of them
        (["good", 0], ("bad", "good")),
        ([0.5], GENERIC),
        (["yes"], ("no", "maybe")),
    ],
)
def test_labels_that_are_no_classes(labels: list[Label], names: tuple[str, ...]) -> None:
    assert match_labels(labels, names) is None


def test_class_names_of_the_data_go_before_ids() -> None:
    found = match_labels([0, 1, 2], ABC, ("a", "b", "c"))
    assert found is not None and [found.find(label) for label in (0, 1, 2)] == [1, 2, 0]
    assert found.notes == ()
    assert match_labels([0, 1, 2], ABC, ("a", "b", "other")) is None  # 0 is both a, and the id of c
    by_id = match_labels([0, 1, 2], ABC, ("x", "y", "z"))
    assert by_id is not None and [by_id.find(label) for label in (0, 1, 2)] == [0, 1, 2]
    assert by_id.notes == ("labels are not class names and were taken for class ids: x is c, y is a, z is b",)


def test_what_is_not_plain_is_said() -> None:
    def notes(labels: list[Label], names: tuple[str, ...]) -> str:
        found = match_labels(labels, names)
        assert found is not None
        return "; ".join(found.notes)

    assert notes(["pos", "neg"], ("NEG", "POS")) == ""
    assert notes(["pos", "Pos"], ("NEG", "POS")) == (
        "labels 'Pos', 'pos' are written differently and were taken for one class, 'POS'"
    )
    assert "1 is 1 star, 5 is 5 stars" in notes([1, 5], STARS)
    assert "0 is NEG, 1 is POS" in notes([0, 1], ("NEG", "POS"))
    assert notes([0, 1], GENERIC) == ""
    assert "no row is of class LABEL_0: if the labels count from 1, subtract 1" in notes([1, 4], GENERIC)
