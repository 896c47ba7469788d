"""What client and agent say to each other: one header of JSON, then the graphs, in one body.

    4 bytes, big-endian: size of the header | header | part 1 | part 2 ...

The header names the parts with their sizes. Every job has an id that its client chose: asked again
with the same id, the agent answers with what it has instead of doing it twice.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from compresskit.errors import AgentError
from compresskit.target.base import Model

PROTOCOL = 4  # changed together with anything that an older side would misread
CONTENT_TYPE = "application/x-compresskit"
KINDS = ("measurements", "engines", "logits", "comparisons")

# States of a job; a failed one carries {"kind", "message"}.
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
# Kinds of failure that sending again does not fix, and those of the job itself.
REFUSED, MEMORY, TIME, CRASH, OTHER = "refused", "memory", "time", "crash", "failed"
MISSING = "missing"  # an engine that the agent does not have, or no more: send it again

_HEADER_BYTES = 1 << 20
_SIZE = struct.Struct(">I")
_ID = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True)
class BodyPart:
    """One graph in a body: `size` bytes at `offset`."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True)
class Request:
    """A job as it came in: who asks again, what is asked, and where its parts lie."""

    id: str
    fields: Mapping[str, Any]
    parts: Mapping[str, BodyPart]


def is_job_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def pack_head(job_id: str, fields: Mapping[str, Any], parts: Sequence[tuple[str, int]]) -> bytes:
    """All of a body that stands before its parts; `parts` are (name, size in bytes)."""
    header = {"protocol": PROTOCOL, "id": job_id, "parts": [list(part) for part in parts], **fields}
    text = json.dumps(header).encode()
    return _SIZE.pack(len(text)) + text


def body_chunks(head: bytes, parts: Sequence[Model], chunk_bytes: int = 1 << 20) -> Iterator[bytes]:
    """The body piece by piece, so that a large graph is never in memory as a whole."""
    yield head
    for part in parts:
        if isinstance(part, bytes):
            yield part
            continue
        with part.open("rb") as file:
            while chunk := file.read(chunk_bytes):
                yield chunk


def part_size(part: Model) -> int:
    return len(part) if isinstance(part, bytes) else part.stat().st_size


def read_request(path: Path) -> Request:
    """The job in a body that was written to `path`. Raises AgentError for a body of another form."""
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    except (ValueError, TypeError, KeyError, struct.error, RecursionError) as error:
        raise AgentError(f"the body is not a job: {error}.") from None


def _read(file: BinaryIO, total: int) -> Request:
    (size,) = _SIZE.unpack(file.read(_SIZE.size))
    if size > min(_HEADER_BYTES, total):
        raise ValueError(f"its header would have {size:,} bytes")
    header = json.loads(file.read(size).decode("utf-8"))
    if not isinstance(header, dict):
        raise ValueError("its header is not an object")
    protocol = header.pop("protocol", None)
    if protocol != PROTOCOL:
        raise ValueError(
            f"it speaks protocol {protocol!r}, this agent {PROTOCOL}; install the same compresskit on both"
        )
    job_id = header.pop("id")
    if not isinstance(job_id, str) or not is_job_id(job_id):
        raise ValueError("its id is not 16 to 64 hexadecimal digits")
    parts, offset = {}, _SIZE.size + size
    for name, length in header.pop("parts"):
        if not isinstance(name, str) or type(length) is not int or length < 0 or name in parts:
            raise ValueError("its list of parts is malformed")
        parts[name] = BodyPart(name, offset, length)
        offset += length
    if offset != total:
        raise ValueError(f"it has {total:,} bytes and declares {offset:,}")
    return Request(job_id, header, parts)
