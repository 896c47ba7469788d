"""Access: a shared token on every request, and nothing in clear text beyond this machine."""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from compresskit.errors import ConfigurationError

_MIN_CHARACTERS = 16


def default_token_file() -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("compresskit")) / "agent.token"


def read_token(path: Path) -> str:
    """The token in `path`. Raises ConfigurationError when there is none, or others can read it."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"token file {path} cannot be read ({error}); copy the one that `compresskit agent` names."
        ) from None
    if len(token) < _MIN_CHARACTERS or not token.isprintable() or " " in token:
        raise ConfigurationError(
            f"token file {path} holds no token; permitted: one line of {_MIN_CHARACTERS} characters or more."
        )
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigurationError(f"token file {path} can be read by others; run: chmod 600 {path}")
    return token


def ensure_token(path: Path) -> str:
    """The token in `path`; a new one, readable by its owner alone, where there is no file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_token(path)
    except OSError as error:
        raise ConfigurationError(f"token file {path} cannot be written: {error}.") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    return read_token(path)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its name or address; any other name counts as elsewhere."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def token_check(token: str) -> Callable[[Iterable[tuple[bytes, bytes]]], bool]:
    """Whether a request's headers (names in lower case) hold `Authorization: Bearer TOKEN`, once."""
    expected = b"Bearer " + token.encode("ascii")

    def is_known(headers: Iterable[tuple[bytes, bytes]]) -> bool:
        given = [value for name, value in headers if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], expected)

    return is_known


class TokenRequired:
    """Answers 401 to every request without `Authorization: Bearer TOKEN`, before its body is read."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._is_known = token_check(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_known(scope["headers"]):
            await self._app(scope, receive, send)
            return
        response = JSONResponse(
            {"error": {"kind": "token", "message": "send the agent's token: Authorization: Bearer TOKEN."}},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer", "Connection": "close"},
        )
        await response(scope, receive, send)
