from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from compresskit.field_types import is_of, wrong_kind


@dataclass
class Example:
    count: int
    share: float | None
    pair: tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    is_on: bool = False
    other: Any = None


GOOD: dict[str, Any] = {
    "count": 1,
    "share": 2,  # a whole number is a number
    "pair": (1, 2.5),
    "names": ("a", "b"),
    "sizes": {"a": 1},
    "rows": [{"x": None}],
    "is_on": True,
    "other": object(),
}


def test_what_the_annotations_say_is_right() -> None:
    assert wrong_kind(Example, GOOD) is None
    assert wrong_kind(Example, {"count": 1, "share": None, "pair": None, "names": (), "rows": []}) is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("count", "1", "count is '1'; permitted: a whole number."),
        ("count", True, "count is True; permitted: a whole number."),
        ("count", 1.5, "a whole number"),
        ("count", None, "a whole number"),
        ("share", "high", "share is 'high'; permitted: a number."),
        ("pair", (1.0,), "a list of 2 numbers"),
        ("pair", (1.0, "x"), "a list of 2 numbers"),
        ("names", "ab", "names is 'ab'; permitted: a list of texts."),
        ("names", ("a", 1), "a list of texts"),
        ("sizes", {"a": "b"}, "a table"),
        ("sizes", {1: 1}, "a table"),
        ("rows", [1], "a list"),
        ("is_on", 1, "is_on is 1; permitted: true or false."),
    ],
)
def test_the_wrong_field_is_named_with_what_is_permitted(name: str, value: object, said: str) -> None:
    found = wrong_kind(Example, {**GOOD, name: value})
    assert found is not None and said in found


def test_names_that_the_dataclass_lacks_are_not_its_business() -> None:
    assert wrong_kind(Example, {"unheard": 3}) is None


def test_numbers() -> None:
    assert is_of(float, 1) and is_of(float, 1.5) and not is_of(float, False) and not is_of(int, 1.0)
