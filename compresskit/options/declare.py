"""Options of commands, declared once: fields of a dataclass, annotated with their help.

    trials: Annotated[int | None, Option("Architectures to evaluate.", BUDGET)] = None

Name, type and default are those of the field. The command line, configuration files, the signatures of
Python functions and the tables of `docs/commands.md` are made from them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from types import NoneType
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

from compresskit.errors import ConfigurationError, one_of

P = ParamSpec("P")
Self = TypeVar("Self")
Result = TypeVar("Result")

# Python 3.10 takes an annotation of this value for a mistake.
_KW_ONLY = {"KW_ONLY": object}


@dataclass(frozen=True)
class Option:
    """What a user is told of an option.

    `flag`: its name on the command line where that is not the field's; an argument's in capitals. `default`:
    in words, where it depends on something. `repeats`: given once for each item, not with commas. `used_by`:
    the methods of a search that use it; all by default. `within`: the least and the largest number that the
    command line takes.
    """

    help: str
    group: str = ""
    flag: str = ""
    default: str = ""
    repeats: bool = False
    used_by: str = ""
    within: tuple[int | None, int | None] = (None, None)


@cache
def options_of(declared: type) -> Mapping[str, tuple[Any, Option]]:
    """Type and description of each option of a dataclass, by the name of its field."""
    hints = get_type_hints(declared, localns=_KW_ONLY, include_extras=True)
    found = {}
    for name in inspect.signature(declared).parameters:
        kind, *notes = get_args(hints[name]) if hasattr(hints[name], "__metadata__") else (None,)
        if notes:
            found[name] = (kind, notes[0])
    return found


def kinds_of(annotation: Any) -> tuple[tuple[type, ...], bool]:
    """The plain types that an annotation permits, beside None, and whether it is of a list of them."""
    if get_origin(annotation) is Sequence:
        return kinds_of(get_args(annotation)[0])[0], True
    return tuple(each for each in get_args(annotation) if each is not NoneType) or (annotation,), False


def flag_of(name: str, option: Option) -> str:
    """The option as it is written on the command line."""
    return option.flag or f"--{name.replace('_', '-')}"


def normalized(declared: type, name: str, value: Any) -> Any:
    """An option's value as it is kept: a path as text, a list as a tuple.

    Lists of words or numbers may be given as text with commas, as on the command line; a list that repeats as
    one item. What is of another kind is returned as it is.
    """
    annotation, option = options_of(declared)[name]
    kinds, is_list = kinds_of(annotation)
    if isinstance(value, Path) and Path in kinds:
        value = str(value)
    if not is_list:
        return value
    if isinstance(value, str):
        value = [value] if option.repeats else value.split(",") if value else []
        return _numbers(name, value) if kinds == (int,) else tuple(value)
    if not isinstance(value, (list, tuple)):
        return value
    return tuple(str(item) if isinstance(item, Path) and Path in kinds else item for item in value)


def _numbers(name: str, words: Sequence[str]) -> tuple[int, ...]:
    try:
        return tuple(map(int, words))
    except ValueError:
        given = ",".join(words)
        raise ConfigurationError(f"{name} {given!r} are not whole numbers; write them as 2,4.") from None


def read_options(path: Path | str, declared: type, elsewhere: type) -> dict[str, Any]:
    """The options of a TOML file, whose keys are spelled as on the command line, or with underscores.

    Options of `elsewhere` are for the command line alone. ConfigurationError for a file that cannot be read,
    and for keys that are no option: it names the nearest.
    """
    import tomllib

    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"configuration {path} cannot be read: {error}.") from None
    flags = {flag_of(name, option): name for name, (_, option) in options_of(declared).items()}
    others = {flag_of(name, option) for name, (_, option) in options_of(elsewhere).items()}
    found = {}
    for key, value in values.items():
        flag = f"--{key.replace('_', '-')}"
        if flag in others:
            raise ConfigurationError(f"{path} sets {key}; give {flag} on the command line.")
        if flag not in flags:
            raise ConfigurationError(f"{path}: {one_of('option', key, (each[2:] for each in flags))}")
        found[flags[flag]] = value
    return found


def takes(declared: Callable[P, object]) -> Callable[[Callable[..., Result]], Callable[P, Result]]:
    """A function with the options of the dataclass `declared`; it is called with those that were given."""

    def decorate(function: Callable[..., Result]) -> Callable[P, Result]:
        called: Callable[P, Result] = _with_options(declared, function, ())
        return called

    return decorate


def takes_as_method(
    declared: Callable[P, object],
) -> Callable[[Callable[Concatenate[Self, ...], Result]], Callable[Concatenate[Self, P], Result]]:
    """As `takes`, for a method."""

    def decorate(
        function: Callable[Concatenate[Self, ...], Result],
    ) -> Callable[Concatenate[Self, P], Result]:
        owner = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        called: Callable[Concatenate[Self, P], Result] = _with_options(declared, function, (owner,))
        return called

    return decorate


def _with_options(declared: Any, function: Callable[..., Result], first: Sequence[inspect.Parameter]) -> Any:
    hints = get_type_hints(declared, localns=_KW_ONLY)
    plain = [
        each.replace(annotation=hints[each.name]) for each in inspect.signature(declared).parameters.values()
    ]
    result = get_type_hints(function).get("return", inspect.Signature.empty)
    signature = inspect.Signature([*first, *plain], return_annotation=result)

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Result:
        given = signature.bind(*args, **kwargs).arguments
        owner = [given.pop(each.name) for each in first]
        return function(*owner, **given)

    called.__signature__ = signature  # type: ignore[attr-defined]
    lines = [f"    {name}: {option.help}" for name, (_, option) in options_of(declared).items()]
    called.__doc__ = "\n".join([inspect.getdoc(function) or "", "", "Options:", *lines])
    return called
