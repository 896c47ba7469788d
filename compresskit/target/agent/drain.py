"""What is left of a body is taken before an answer leaves, so that the client reads why it was refused."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES = 64 << 20
_MOST_SECONDS = 2.0


class Drained:
    """ASGI middleware. A connection closed over unread bytes is reset, and the reset overtakes the answer:
    the rest of the body is thrown away first, within bounds of size and time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
            count = 0
            while not ended and count < _MOST_BYTES:
                count += len((await watched()).get("body", b""))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and not ended:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(rest(), _MOST_SECONDS)
            await send(message)

        await self._app(scope, watched, answer)
