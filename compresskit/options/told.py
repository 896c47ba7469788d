"""Whom progress is told: an option of Python functions alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass


def on_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@dataclass(frozen=True, kw_only=True)
class Told:
    """`say` is called with each line of progress; by default they go to stderr."""

    say: Callable[[str], None] = on_stderr
