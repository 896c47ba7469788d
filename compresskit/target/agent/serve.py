"""The agent's process: address, token, folders, and the server that listens."""

from __future__ import annotations

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
from typing import NoReturn

import uvicorn

from compresskit.errors import ConfigurationError
from compresskit.target.agent.auth import ensure_token, is_loopback, token_check
from compresskit.target.agent.door import Door, Strangers
from compresskit.target.agent.limits import Limits
from compresskit.target.agent.patience import patient_protocol
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
    strangers = Strangers(limits.max_strangers)
    with _scratch() as scratch, _listening(host, port, strangers) as listener:
        config = uvicorn.Config(
            make_app(token, limits, scratch, state=state),
            loop="asyncio",  # which accepts through the door
            http=patient_protocol(limits, token_check(token), strangers),
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
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


@contextlib.contextmanager
def _listening(host: str, port: int, strangers: Strangers) -> Iterator[socket.socket]:
    try:
        door = Door.open(host, port, strangers)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another --port, 0 for any."
        ) from None
    with door:
        yield door


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
