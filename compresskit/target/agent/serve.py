"""The agent's process: address, token, folders, and the server that listens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from compresskit.errors import ConfigurationError
from compresskit.target.agent.auth import ensure_token, is_loopback
from compresskit.target.agent.limits import Limits
from compresskit.target.agent.server import make_app

_PREFIX = "compresskit-agent-"


def serve(
    *,
    host: str,
    port: int,
    token_file: Path,
    certfile: Path | None = None,
    keyfile: Path | None = None,
    limits: Limits,
    state: Path | None = None,
    say: Callable[[str], None],
) -> None:
    """Serve until interrupted. `port` 0 takes a free one; `say` hears the address and the token's file.

    Raises ConfigurationError for an address that is taken or not loopback without TLS, and for a
    certificate that cannot be read.
    """
    if certfile is None and not is_loopback(host):
        raise ConfigurationError(
            f"host {host!r} can be reached from other machines and needs TLS: give --certfile and --keyfile. "
            "Without them: 127.0.0.1, and an SSH tunnel from the other machine."
        )
    if (certfile is None) != (keyfile is None):
        raise ConfigurationError("--certfile and --keyfile go together; give both or none.")
    token = ensure_token(token_file)
    with _scratch() as scratch, _listening(host, port) as listener:
        config = uvicorn.Config(
            make_app(token, limits, scratch, state=state),
            http=patient_protocol(limits.header_seconds),
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=limits.max_connections,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=16 * 1024,
            ssl_certfile=certfile,
            ssl_keyfile=keyfile,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"certificate {certfile} or key {keyfile} cannot be read: {error}."
            ) from None
        scheme = "http" if certfile is None else "https"
        shown = f"[{host}]" if ":" in host else host
        signal.signal(signal.SIGTERM, _stop)
        server = _Announcing(config, lambda: say(f"{scheme}://{shown}:{listener.getsockname()[1]}"))
        server.run(sockets=[listener])


def _stop(*_: object) -> NoReturn:
    """SIGTERM, once the server has shut down: leave by the usual way, so that folders are removed."""
    sys.exit(0)


class _Announcing(uvicorn.Server):
    """Says that it listens once it does."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def patient_protocol(header_seconds: float) -> type[asyncio.Protocol]:
    """HTTP/1.1 with an end to patience: a connection that does not finish its headers in time is closed."""

    class PatientProtocol(H11Protocol):
        _header_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch_headers()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_watching()
            super().connection_lost(exc)

        def _watch_headers(self) -> None:
            if self.conn.their_state is not h11.IDLE:
                self._stop_watching()
            elif self._header_timer is None:
                self._header_timer = self.loop.call_later(header_seconds, self.transport.close)

        def _stop_watching(self) -> None:
            if self._header_timer is not None:
                self._header_timer.cancel()
                self._header_timer = None

    return PatientProtocol


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another --port, 0 for any."
        ) from None
    with listener:
        yield listener


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder of this process's own; what agents that were killed have left behind goes first."""
    for base in {Path(tempfile.gettempdir()), Path("/dev/shm")}:  # noqa: S108
        for left in base.glob(f"{_PREFIX}*"):
            owner = left.name[len(_PREFIX) :].partition("-")[0]
            if owner.isdigit() and not _is_running(int(owner)):
                shutil.rmtree(left, ignore_errors=True)
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid))
