"""Errors that a user can act on.

    CompresskitError
    ├── ConfigurationError       an option, profile or configuration value
    ├── UnsupportedModelError    a model type or head that no family covers
    ├── ArchitectureError        an architecture that does not fit its model
    ├── DataError                columns, labels, splits
    ├── RunError                 a run directory: version, damage, resume
    │   └── DiskFullError        no space left where something is written
    ├── EngineError              an engine folder: damage, failed verification
    ├── TargetError              the device: provider missing, measurement failed
    │   └── AgentError           a remote device: unreachable, refused
    └── SearchError              a searcher that cannot serve a space or objective

Each message names the value, what is permitted and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class CompresskitError(Exception):
    """Root of every error that the user can fix; the command line exits with 1."""


class ConfigurationError(CompresskitError):
    pass


class UnsupportedModelError(CompresskitError):
    pass


class ArchitectureError(CompresskitError):
    pass


class DataError(CompresskitError):
    pass


class RunError(CompresskitError):
    pass


class DiskFullError(RunError):
    pass


class EngineError(CompresskitError):
    pass


class TargetError(CompresskitError):
    pass


class AgentError(TargetError):
    pass


class SearchError(CompresskitError):
    pass


class StoppedRun(KeyboardInterrupt):
    """Ctrl-C where work is kept; its message says how to go on."""


def reason_of(error: BaseException) -> str:
    """What another library's error says, on one line of 300 characters at most, to be quoted."""
    if isinstance(error, KeyError):
        return f"{error} is not known"
    said = " ".join(re.sub(r"\x1b\[[\d;]*m", "", str(error)).split()).rstrip(".")
    return said[:300] or type(error).__name__


def one_of(what: str, value: object, allowed: Iterable[object]) -> str:
    """Message for a value outside a closed set: names the value, all that is permitted, and the nearest."""
    permitted = sorted(map(str, allowed))
    nearest = "".join(get_close_matches(str(value), permitted, 1))
    meant = f" Did you mean {nearest}?" if nearest else ""
    return f"{what} {value!r} is not known; permitted: {', '.join(permitted)}.{meant}"


def some(values: Iterable[object], most: int = 12) -> str:
    """The first values, separated by commas, and how many more there are."""
    shown = [str(value) for value in values]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def row_list(numbers: Sequence[int]) -> str:
    """`row 3`, or `rows 3, 9` with five at most and how many more there are."""
    return f"row{'s' if len(numbers) > 1 else ''} {some(numbers, 5)}"
