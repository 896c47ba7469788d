"""Checkpoints of a training: which ones are complete after an interruption or a full disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

_LAST_FILE = "trainer_state.json"  # Trainer writes it when all others are there


def last_complete_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint whose writing was not cut off."""
    return next((each for each in reversed(_checkpoints(folder)) if _is_complete(each)), None)


def remove_incomplete(folder: Path) -> None:
    """Remove what a writing that was cut off has left: it takes space, and is never read."""
    for checkpoint in _checkpoints(folder):
        if not _is_complete(checkpoint):
            shutil.rmtree(checkpoint, ignore_errors=True)


def _checkpoints(folder: Path) -> list[Path]:
    """In the order in which they were written."""
    return sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))


def _is_complete(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / _LAST_FILE).read_bytes())
    except (OSError, ValueError):
        return False
    return True
