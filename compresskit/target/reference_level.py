"""The level that drift is corrected to: the reference's median in the calmest state that was met."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compresskit.errors import TargetError
from compresskit.runs.atomic import write_atomic, write_error
from compresskit.target.base import Model


def conditions_key(conditions: Mapping[str, Any]) -> str:
    """Short hash of what a latency is valid for."""
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()[:16]


def fingerprint(model: Model) -> str:
    """Hash of a graph's bytes, or of its file's path, size and time."""
    if isinstance(model, bytes):
        return hashlib.sha256(model).hexdigest()[:16]
    path = model.resolve()
    status = path.stat()
    return hashlib.sha256(f"{path}:{status.st_size}:{status.st_mtime_ns}".encode()).hexdigest()[:16]


NOISE = 0.03  # of the lowest state that one measurement finds


@dataclass(frozen=True)
class Level:
    """What a built-in reference takes in the long run, under the conditions of that key.

    `reference` is its fingerprint; "" is the small one, the only one that older runs know.
    """

    level_ms: float
    conditions: str
    reference: str = ""


class Baselines:
    """Levels by reference, the lowest that were met; kept in a JSON file when one is given.

    Levels taken under other conditions stand in the same file and are not seen.
    """

    def __init__(self, path: Path | None, conditions: Mapping[str, Any]) -> None:
        self._path = path
        self._prefix = conditions_key(conditions)
        self._levels = self._read()

    def get(self, reference: str) -> float | None:
        return self._levels.get(f"{self._prefix}/{reference}")

    def put(self, reference: str, level_ms: float) -> None:
        """Raises RunError when the file cannot be written."""
        self._levels[f"{self._prefix}/{reference}"] = level_ms
        if self._path is None:
            return
        # Another process may have added levels of its own meanwhile.
        text = json.dumps({**self._read(), **self._levels}, indent=1)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self._path, error) from None
        write_atomic(self._path, text)

    def lowest(self, reference: str, level_ms: float) -> float:
        """The level that stands here; `level_ms` takes its place if it is lower beyond noise."""
        known = self.get(reference)
        if known is None or level_ms < known * (1 - NOISE):
            self.put(reference, level_ms)
            return level_ms
        return known

    def _read(self) -> dict[str, float]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            value = json.loads(self._path.read_text(encoding="utf-8"))
            levels = {str(key): float(level) for key, level in value.items()}
            if not all(math.isfinite(level) and level > 0 for level in levels.values()):
                raise ValueError("a level is not a time")
            return levels
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):
            raise TargetError(f"{self._path} holds no reference levels; remove the file.") from None
