"""Whom progress is told: an option of Python functions alone."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from compresskit.display import Display, Lines, Say


def write_line(line: str) -> None:
    """One line on stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


ON_STDERR = Lines(write_line)


@dataclass(frozen=True, kw_only=True)
class Told:
    """`say` is called with each line of progress; by default they go to stderr."""

    say: Say | Display = ON_STDERR
