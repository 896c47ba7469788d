"""Ways in which a JSON file can be damaged."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

_OTHERS: tuple[Any, ...] = (None, "x", "", -1, 1.5, True, [], [[1]], {}, {"a": 1})


def damaged_texts(whole: bytes) -> list[bytes]:
    """What no longer is the JSON that it was."""
    half = whole[: len(whole) // 2]
    return [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', half]


def damaged_values(whole: Any, rng: random.Random, count: int) -> Iterator[bytes]:
    """`count` times `whole` with one value, at any depth, gone or of another type."""
    places = list(_places(whole))
    cases = [(place, change) for place in places for change in (_gone, *map(_set_to, _OTHERS))]
    for place, change in rng.sample(cases, min(count, len(cases))):
        value = copy.deepcopy(whole)
        node = value
        for key in place[:-1]:
            node = node[key]
        change(node, place[-1])
        yield json.dumps(value).encode()


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of a list the first two items alone: the others are like them."""
    items = (
        value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    )
    for key, item in items:
        yield (*above, key)
        yield from _places(item, (*above, key))


def _gone(node: Any, key: Any) -> None:
    del node[key]


def _set_to(other: Any) -> Any:
    def change(node: Any, key: Any) -> None:
        node[key] = other

    return change
