"""Which checkpoint a training that was cut off goes on from."""

from __future__ import annotations

import json
from pathlib import Path


def last_complete_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint whose writing was not cut off: `trainer_state.json` is written last."""
    numbered = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    for checkpoint in reversed(numbered):
        try:
            json.loads((checkpoint / "trainer_state.json").read_bytes())
        except (OSError, ValueError):
            continue
        return checkpoint
    return None
