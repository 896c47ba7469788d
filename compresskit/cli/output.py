"""What every command prints with: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compresskit.display import Counter, Display, Lines
from compresskit.options.told import write_line

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


class CommandProgress:
    """Progress on stderr: the stages of a command are bars on a terminal, elsewhere lines."""

    def __init__(self) -> None:
        self._shown: Display = Lines(write_line)
        self._depth = 0

    def __call__(self, message: str, /) -> None:
        self._shown(message)

    @contextmanager
    def stage(self, name: str, total: float | None = None, unit: str = "") -> Iterator[Counter]:
        if not self._depth:
            self._shown = _display()
        self._depth += 1
        try:
            with self._shown.stage(name, total, unit) as counter:
                yield counter
        finally:
            self._depth -= 1
            if not self._depth:
                self._shown = Lines(write_line)


say = CommandProgress()


def _display() -> Display:
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return Lines(write_line)
    from compresskit.cli.bars import Bars

    return Bars(err())


def warn(message: str) -> None:
    say(f"warning: {message}")


def complain(message: str) -> None:
    say(f"error: {message}")
