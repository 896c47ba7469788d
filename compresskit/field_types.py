"""Whether values from files and people are of the kind that a dataclass's annotations name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

_WORDS: dict[Any, tuple[str, str]] = {
    str: ("a text", "texts"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
}
_hints = cache(get_type_hints)


def wrong_kind(kind: type, values: Mapping[str, Any]) -> str | None:
    """What is wrong with the first of `values` that is not as the dataclass `kind` has it, None if all are.

    Such as: threads is 'two'; permitted: a whole number.
    """
    for name, hint in _hints(kind).items():
        if name in values and not is_of(hint, values[name]):
            return f"{name} is {values[name]!r}; permitted: {in_words(hint)}."
    return None


def is_of(hint: Any, value: object) -> bool:
    """Whether `value` is what an annotation says. A whole number is a number; true and false are none."""
    if hint is Any:
        return True
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(is_of(each, value) for each in inner)
    if origin is tuple and inner[-1] is not ...:
        return isinstance(value, tuple) and len(value) == len(inner) and all(map(is_of, inner, value))
    if origin in (tuple, list, Sequence):
        return (
            isinstance(value, origin)
            and not isinstance(value, str)
            and all(is_of(inner[0], item) for item in value)
        )
    if origin in (dict, Mapping):
        return isinstance(value, Mapping) and all(
            is_of(inner[0], key) and is_of(inner[1], item) for key, item in value.items()
        )
    if isinstance(value, bool) or hint is bool:
        return isinstance(value, bool) and hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def in_words(hint: Any) -> str:
    """What an annotation permits, for a person."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(in_words(each) for each in inner if each not in (NoneType, Path))
    if origin is tuple and inner[-1] is not ...:
        return f"a list of {len(inner)} {_WORDS[inner[0]][1]}"
    if origin in (tuple, list, Sequence):
        return f"a list of {_WORDS[inner[0]][1]}" if inner[0] in _WORDS else "a list"
    if origin in (dict, Mapping):
        return "a table"
    return _WORDS[hint][0]
