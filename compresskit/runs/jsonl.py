"""Append-only files of one JSON object a line, that survive being killed while writing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compresskit.errors import RunError
from compresskit.runs.atomic import write_error
from compresskit.runs.fields import RESTORE, Fields, parse_object

_CUT = "Remove it and the lines after it to continue from there, or start again with --force."


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


def _parse(line: bytes) -> Fields | None:
    try:
        return parse_object(line, "")
    except RunError:
        return None


def read_records(path: Path, kind: type | None = None) -> tuple[list[Fields], str | None]:
    """All records of `path` (none when it is absent), and a warning when the last was truncated.

    A last line without its line end is what a killed writer leaves: it is dropped. Any other line that
    is not a JSON object, or has a value of another type than the dataclass `kind` says, raises RunError
    naming it.
    """
    if not path.exists():
        return [], None
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}. {RESTORE}") from None
    tail = lines.pop()
    records = []
    for number, line in enumerate(lines, start=1):
        records.append(parse_object(line, f"{path}, line {number},", kind, _CUT))
    if not tail:
        return records, None
    if _parse(tail) is not None:
        return [*records, parse_object(tail, f"{path}, line {len(lines) + 1},", kind, _CUT)], None
    return records, (
        f"{path}, line {len(lines) + 1}, was truncated by an interruption and is dropped; "
        f"{len(records)} complete records remain."
    )
