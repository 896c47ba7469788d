"""Messages between a target and its worker: a JSON header and raw bytes, length first. No pickle."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_SIZES = struct.Struct(">IQ")
_MOST_HEADER = 64 * 2**20


def write_frame(file: BinaryIO, header: dict[str, Any], payload: bytes = b"") -> None:
    text = json.dumps(header).encode()
    file.write(_SIZES.pack(len(text), len(payload)))
    file.write(text)
    if payload:
        file.write(payload)
    file.flush()


def read_frame(file: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next message, or None at the end of the stream. Raises ValueError for a broken one."""
    sizes = file.read(_SIZES.size)
    if not sizes:
        return None
    if len(sizes) < _SIZES.size:
        raise ValueError("message cut short")
    header_size, payload_size = _SIZES.unpack(sizes)
    if header_size > _MOST_HEADER:
        raise ValueError(f"header of {header_size} bytes")
    text, payload = file.read(header_size), file.read(payload_size)
    if len(text) < header_size or len(payload) < payload_size:
        raise ValueError("message cut short")
    return json.loads(text), payload
