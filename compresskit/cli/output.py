"""What every command prints with: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

# Exit statuses; 0 is success.
ERROR = 1
USAGE = 2
CONDITION_FAILED = 3
NOT_DECIDED = 4
INTERRUPTED = 130

JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]


def out() -> Console:
    """Console of results. Nothing else may write to stdout."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """Console of progress, notes and warnings."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def emit(value: Any, as_json: bool, render: Callable[[], object]) -> None:
    """Print one result: `value` as JSON, or what `render` makes of it (text or a rich table)."""
    if as_json:
        print_json(value)
        return
    shown = render()
    if isinstance(shown, str):
        sys.stdout.write(shown.rstrip("\n") + "\n")
    else:
        out().print(shown)


def print_json(value: Any) -> None:
    """Write `value` on stdout as JSON. NaN and infinity are our own bugs and raise ValueError."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(message: str) -> None:
    """One line of progress on stderr."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def warn(message: str) -> None:
    say(f"warning: {message}")


def complain(message: str) -> None:
    say(f"error: {message}")
