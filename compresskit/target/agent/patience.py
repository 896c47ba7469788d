"""HTTP/1.1 with time limits, and a record of which connections have shown the token."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from compresskit.target.agent.door import Strangers
from compresskit.target.agent.limits import Limits

IsKnown = Callable[[Iterable[tuple[bytes, bytes]]], bool]


def patient_protocol(limits: Limits, is_known: IsKnown, strangers: Strangers) -> type[asyncio.Protocol]:
    """A connection that does not finish its headers in time is closed.

    One whose headers `is_known` says yes to is no longer among the `strangers`, but one of at most
    `max_connections`; those beyond are answered 503.
    """
    known: set[asyncio.Protocol] = set()

    class PatientProtocol(H11Protocol):
        _header_timer: asyncio.TimerHandle | None = None

        @property
        def limit_concurrency(self) -> int | None:
            """What uvicorn compares its number of connections with: strangers do not count in it."""
            return None if self in known or len(known) < limits.max_connections else 0

        @limit_concurrency.setter
        def limit_concurrency(self, value: int | None) -> None:
            """uvicorn sets what its configuration says: nothing."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._address = transport.get_extra_info("peername")
            self._watch_headers()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch_headers()
            if self not in known and self.headers is not None and is_known(self.headers):
                known.add(self)
                strangers.remove(self._address)

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_watching()
            if self in known:
                known.remove(self)
            else:  # of one in `known`, another connection may have its address by now
                strangers.remove(self._address)
            super().connection_lost(exc)

        def _watch_headers(self) -> None:
            if self.conn.their_state is not h11.IDLE:
                self._stop_watching()
            elif self._header_timer is None:
                self._header_timer = self.loop.call_later(limits.header_seconds, self.transport.close)

        def _stop_watching(self) -> None:
            if self._header_timer is not None:
                self._header_timer.cancel()
                self._header_timer = None

    return PatientProtocol
