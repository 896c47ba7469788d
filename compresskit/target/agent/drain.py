"""Reads the rest of a body before an answer is sent, so that the client sees why it was refused."""

from __future__ import annotations

import asyncio
import contextlib
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compresskit.target.agent.limits import Limits

_MOST_BYTES = 64 << 20


class Drained:
    """ASGI middleware. A connection closed over unread bytes is reset, and the reset overtakes the answer:
    the rest of the body is thrown away first, up to a bound, while it comes as fast as a body must."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ended = False

        async def watched() -> Message:
            nonlocal ended
            message = await receive()
            ended = not message.get("more_body", False)
            return message

        async def rest() -> None:
            count, start = 0, time.monotonic()
            while not ended and count < _MOST_BYTES:
                seconds = self._limits.body_seconds + count / self._limits.body_bytes_per_second
                message = await asyncio.wait_for(watched(), start + seconds - time.monotonic())
                count += len(message.get("body", b""))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and not ended:
                with contextlib.suppress(asyncio.TimeoutError):
                    await rest()
            await send(message)

        await self._app(scope, watched, answer)
