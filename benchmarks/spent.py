"""What the parts of a benchmark have taken, over all attempts: a cut-off run counts what it took."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compresskit.runs.atomic import write_atomic


@contextmanager
def timed(file: Path, part: str) -> Iterator[dict[str, float]]:
    """Add the seconds of what runs inside to those of `part` in `file`; all of them are yielded."""
    seconds: dict[str, float] = json.loads(file.read_text()) if file.exists() else {}
    start = time.monotonic()
    try:
        yield seconds
    finally:
        seconds[part] = seconds.get(part, 0.0) + time.monotonic() - start
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, json.dumps(seconds) + "\n")
