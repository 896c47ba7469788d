"""Which families there are: those of this folder, and those that installed packages describe.

A package names its own by an entry point of the group `compresskit.families`: a Family, or a list of them.
"""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType

from compresskit.errors import UnsupportedModelError, one_of, reason_of
from compresskit.families.base import Family

GROUP = "compresskit.families"


def families() -> Mapping[str, Family]:
    """All families by the model type that transformers gives them."""
    return _found()[0]


def family_for(model_type: str) -> Family:
    """The family of a transformers model type; UnsupportedModelError lists those that exist."""
    known, problems = _found()
    try:
        return known[model_type]
    except KeyError:
        left_out = "".join(f" Left out: {problem}." for problem in problems)
        raise UnsupportedModelError(
            one_of("model type", model_type, known) + " Give --model a checkpoint of one of these types, or "
            f"describe this one in a package of your own (docs/own-family.md).{left_out}"
        ) from None


def load_classes(family: Family) -> None:
    """Let transformers know the family's classes. UnsupportedModelError where their module does not load."""
    if not family.module:
        return
    try:
        import_module(family.module)
    except Exception as error:  # whatever a module of another package does
        raise UnsupportedModelError(
            f"model type {family.model_type!r} has its classes in module {family.module}, which does not "
            f"load ({reason_of(error)}); correct it or install what it needs."
        ) from error


@functools.cache
def _found() -> tuple[Mapping[str, Family], tuple[str, ...]]:
    """Families by model type, and why others were left out. Asked for late: a package may import this one."""
    known = {
        family.model_type: family
        for item in pkgutil.iter_modules([str(Path(__file__).parent)])
        for family in getattr(import_module(f"{__package__}.{item.name}"), "FAMILIES", ())
    }
    problems: list[str] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        source = f"entry point {entry.name} = {entry.value}"
        try:
            for family in _described(entry):
                if family.model_type in known:
                    raise ValueError(f"model type {family.model_type} is described already")
                known[family.model_type] = family
        except Exception as error:  # whatever a module of another package does
            problems.append(f"{source} ({reason_of(error)})")
    return MappingProxyType(known), tuple(problems)


def _described(entry: EntryPoint) -> Iterator[Family]:
    found = entry.load()
    for family in [found] if isinstance(found, Family) else found:
        if not isinstance(family, Family):
            raise TypeError(f"it gives {type(family).__name__}, not a Family")
        yield family
