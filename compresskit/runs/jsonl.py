"""Append-only files of one JSON object a line, that survive being killed while writing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compresskit.errors import RunError
from compresskit.runs.atomic import write_error


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Append `record` as one line and sync it; a truncated last line is cut off first.

    Raises RunError when the disk refuses; the file is then as it was before.
    """
    line = json.dumps(record, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise write_error(path, error) from error
    try:
        end, line = _repair(path, line)
        try:
            os.ftruncate(handle, end)
            os.lseek(handle, end, os.SEEK_SET)
            written = 0
            while written < len(line):
                written += os.write(handle, line[written:])
            os.fsync(handle)
        except OSError as error:
            os.ftruncate(handle, end)
            raise write_error(path, error) from error
    finally:
        os.close(handle)


def _repair(path: Path, line: bytes) -> tuple[int, bytes]:
    """Where the next record starts, and its bytes (a lost line end is put before it)."""
    data = path.read_bytes()
    tail = data[data.rfind(b"\n") + 1 :]
    if not tail:
        return len(data), line
    if _parse(tail) is not None:
        return len(data), b"\n" + line
    return len(data) - len(tail), line


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:  # UnicodeDecodeError and JSONDecodeError among them
        return None
    return value if isinstance(value, dict) else None


def read_records(path: Path) -> tuple[list[dict[str, Any]], str | None]:
    """All records of `path` (none when it is absent), and a warning when the last was truncated.

    A last line without its line end is what a killed writer leaves: it is dropped. Any other line
    that is not a JSON object raises RunError naming it.
    """
    if not path.exists():
        return [], None
    data = path.read_bytes()
    lines = data.split(b"\n")
    tail = lines.pop()
    records = []
    for number, line in enumerate(lines, start=1):
        record = _parse(line)
        if record is None:
            raise RunError(
                f"{path}, line {number}, is damaged: not a JSON object. Remove it and the lines "
                "after it to go on from there, or start anew with --force."
            )
        records.append(record)
    if not tail:
        return records, None
    record = _parse(tail)
    if record is not None:
        return [*records, record], None
    return records, (
        f"{path}, line {len(lines) + 1}, was truncated by an interruption and is dropped; "
        f"{len(records)} complete records remain."
    )
