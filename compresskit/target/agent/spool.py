"""Bodies on their way in: written to disk as they arrive, within bounds of size, time and space."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.requests import ClientDisconnect, Request

from compresskit.target.agent.limits import Limits


class BodyError(Exception):
    """A body that was not taken, with the HTTP status that says why."""

    def __init__(self, status: int, kind: str, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Body:
    """A body that arrived whole."""

    path: Path
    size: int
    digest: str


class Spool:
    """A folder of bodies. `Spool.release` gives the space of one back."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._held_bytes = 0

    async def receive(self, request: Request) -> Body:
        """Take one body. Raises BodyError: 411 without its length, 413 too large, 503 no space, 408 too slow,
        400 broken off."""
        size = self._declared(request)
        if self._held_bytes + size > self._limits.spool_bytes:
            raise BodyError(503, "busy", "too many uploads are waiting; try again.", retry_after_seconds=5)
        self._held_bytes += size
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".body", delete=False) as file:
            path = Path(file.name)
        try:
            seconds = self._limits.body_seconds + size / self._limits.body_bytes_per_second
            digest = await asyncio.wait_for(_write(request, path, size), seconds)
        except (BodyError, ClientDisconnect, asyncio.TimeoutError, OSError, asyncio.CancelledError) as error:
            self.release(Body(path, size, ""))
            raise _explained(error) from None
        return Body(path, size, digest)

    def release(self, body: Body) -> None:
        self._held_bytes -= body.size
        with contextlib.suppress(OSError):
            body.path.unlink(missing_ok=True)

    def _declared(self, request: Request) -> int:
        text = request.headers.get("content-length", "")
        if not (text.isascii() and text.isdigit()):
            raise BodyError(411, "length", "send the body with its Content-Length.")
        size = int(text)
        if size > self._limits.body_bytes:
            raise BodyError(
                413, "size", f"the body has {size:,} bytes; this agent permits {self._limits.body_bytes:,}."
            )
        return size


async def _write(request: Request, path: Path, size: int) -> str:
    digest, count = sha256(), 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            count += len(chunk)
            if count > size:
                raise BodyError(413, "size", "the body is longer than its Content-Length.")
            digest.update(chunk)
            file.write(chunk)
    if count != size:
        raise BodyError(400, "body", f"the body ended after {count:,} of {size:,} bytes.")
    return digest.hexdigest()


def _explained(error: BaseException) -> BaseException:
    if isinstance(error, ClientDisconnect):
        return BodyError(400, "body", "the connection ended before the body did.")
    if isinstance(error, asyncio.TimeoutError):
        return BodyError(408, "slow", "the body took too long to arrive.")
    if isinstance(error, OSError):
        return BodyError(507, "space", f"the body cannot be stored: {error.strerror}.")
    return error
