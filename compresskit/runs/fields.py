"""JSON objects of files that may be damaged: errors name the file and what is missing or wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from compresskit.errors import RunError
from compresskit.field_types import in_words, is_of, wrong_kind

RESTORE = "Restore it, or start again with --force."
Kind = TypeVar("Kind")


class Fields(dict[str, Any]):
    """An object of a file; a key that is not there raises RunError, not KeyError.

    `where` names the file, and the line where it has several; `remedy` says what to do.
    """

    where = ""
    remedy = RESTORE

    def check(self, kind: type) -> None:
        """Raise RunError for a value of another type than the dataclass `kind` says."""
        if wrong := _wrong(kind, self):
            raise RunError(f"{self.where} is damaged: {wrong} {self.remedy}")

    def __missing__(self, key: str) -> NoReturn:
        raise RunError(f"{self.where} is damaged: {key!r} is missing. {self.remedy}")


def parse_object(data: bytes, where: str, kind: type | None = None, remedy: str = RESTORE) -> Fields:
    """The JSON object in `data`, and so the objects within it.

    `kind`, a dataclass, names the types of keys that may be there. Raises RunError when `data` is not an
    object, or a value is of another type.
    """
    try:
        value = json.loads(data, object_hook=Fields, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{where} is damaged: {error}. {remedy}") from None
    if not isinstance(value, Fields):
        raise RunError(f"{where} is damaged: it holds no object. {remedy}")
    _name(value, where, remedy)
    if kind is not None:
        value.check(kind)
    return value


def read_object(path: Path, kind: type | None = None, remedy: str = RESTORE) -> Fields:
    """`parse_object` of a file. Raises RunError when it cannot be read, too."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}. {remedy}") from None
    return parse_object(data, str(path), kind, remedy)


def figures_of(kind: type[Kind], value: object, what: str, remedy: str) -> Kind:
    """The dataclass `kind` of a JSON object, whose lists are tuples there.

    Raises RunError, saying `what` it is and the `remedy`, for missing or unknown fields and for values of
    another kind.
    """
    if not isinstance(value, Mapping) or set(value) - {field.name for field in fields(kind)}:  # type: ignore[arg-type]
        raise RunError(f"{what} {value!r:.80} are not known; {remedy}.")
    given = {name: tuple(each) if isinstance(each, list) else each for name, each in value.items()}
    if wrong := wrong_kind(kind, given):
        raise RunError(f"{what}: {wrong} {remedy.capitalize()}.")
    try:
        return kind(**given)
    except TypeError as error:
        raise RunError(f"{what} are incomplete ({error}); {remedy}.") from None


def _wrong(kind: type, value: Fields) -> str | None:
    """What the first value is that is not as `kind` has it."""
    for name, hint in get_type_hints(kind).items():
        if name in value and not _fits(hint, value[name]):
            return f"{name} is {str(value[name])[:80]!r}; permitted: {in_words(hint)}."
    return None


def _fits(hint: Any, value: Any) -> bool:
    """`is_of`, where a list stands for a tuple, which JSON lacks."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(each, value) for each in inner)
    if origin is tuple and inner[-1] is not ... and isinstance(value, list):
        return len(value) == len(inner) and all(map(_fits, inner, value))
    if origin in (list, tuple) and isinstance(value, list):
        return all(_fits(inner[0], item) for item in value)
    return is_of(hint, value)


def _name(value: Any, where: str, remedy: str) -> None:
    """Tell all objects in `value` where they stand."""
    if isinstance(value, Fields):
        value.where, value.remedy = where, remedy
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _name(item, where, remedy)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
