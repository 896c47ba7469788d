"""New connections: when there are too many, those that have not shown a token are closed first."""

from __future__ import annotations

import contextlib
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

GRACE_SECONDS = 1.0  # in which an honest client has sent its headers
_CROWD = 2  # times as many strangers as permitted, and even the newest have to go


class Strangers:
    """Connections that have shown no token yet, at most `most` of them beyond their first second.

    One too many closes the oldest. So silent connections, however many, keep no client out: a client that
    knows the token shows it with its first bytes, and is no stranger from then on.
    """

    def __init__(self, most: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._held: OrderedDict[Any, tuple[socket.socket, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def limit(self) -> int:
        """How many there are at most at any moment."""
        return _CROWD * self._most

    def add(self, connection: socket.socket, address: Any) -> None:
        self._held[address] = (connection, self._now())
        if len(self._held) > self._most:
            self._make_room()

    def remove(self, address: Any) -> None:
        """It has shown the token, or is gone."""
        self._held.pop(address, None)

    def _make_room(self) -> None:
        for address, (connection, since) in list(self._held.items()):
            if connection.fileno() != -1:  # else it was closed before a protocol knew it
                young = self._now() - since < GRACE_SECONDS
                if len(self._held) <= self._most or (young and len(self._held) <= self.limit):
                    return
                # The event loop owns the socket: it sees the end of the stream, and closes it.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            del self._held[address]


class Door(socket.socket):
    """A listening socket that tells `strangers` of each connection, before any TLS handshake.

    asyncio accepts through it. Answers leave at once: asyncio turns Nagle's algorithm off only where a
    socket says that it is TCP, which those of `socket.create_server` do not.
    """

    strangers: Strangers

    @classmethod
    def open(cls, host: str, port: int, strangers: Strangers) -> Door:
        """Raises OSError where the address cannot be listened on."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        door = cls(fileno=socket.create_server((host, port), family=family, backlog=256).detach())
        door.strangers = strangers
        return door

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        with contextlib.suppress(OSError):  # it may be gone already
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.strangers.add(connection, address)
        return connection, address
