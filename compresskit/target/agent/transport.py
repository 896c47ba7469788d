"""HTTP to an agent that may be restarted and a network that may be cut: asked again until it answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from compresskit.errors import AgentError
from compresskit.target.agent.auth import default_token_file, is_loopback, read_token
from compresskit.target.agent.protocol import CONTENT_TYPE

_BUSY = (429, 502, 503, 504)
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0


@dataclass
class Clock:
    """Time as the transport sees it; a test hands in its own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Transport:
    """Requests to one agent.

    A connection that fails and an agent that is busy are tried again, with growing pauses, for up to
    `patience_seconds`; `say` hears of the first failure and of the return. Raises AgentError when
    patience ends, for a wrong token, and for an address that would carry the token in clear.
    """

    def __init__(
        self,
        address: str,
        *,
        token_file: Path | None = None,
        certificate_file: Path | None = None,
        patience_seconds: float = 600.0,
        say: Callable[[str], None] = lambda _: None,
        clock: Clock | None = None,
    ) -> None:
        self.address = address.rstrip("/")
        self._patience_seconds = patience_seconds
        self._say = say
        self._clock = clock or Clock()
        _check_address(self.address)
        self._client = httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {read_token(token_file or default_token_file())}"},
            verify=_trust(certificate_file),
            timeout=httpx.Timeout(60.0, connect=10.0),
            trust_env=False,  # no proxy gets to see the token
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> httpx.Response:
        return self._until_answered(lambda: self._client.get(path, params=query))

    def post(self, path: str, size: int, chunks: Callable[[], Iterable[bytes]]) -> httpx.Response:
        """Send a body of `size` bytes; `chunks` is called for each attempt."""
        headers = {"Content-Length": str(size), "Content-Type": CONTENT_TYPE}
        return self._until_answered(lambda: self._client.post(path, content=iter(chunks()), headers=headers))

    def _until_answered(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        start, pause = self._clock.now(), _FIRST_PAUSE_SECONDS
        cut_off = False
        while True:
            answer, trouble = None, ""
            try:
                answer = ask()
            except httpx.TransportError as error:
                if _is_certificate(error):
                    raise AgentError(
                        f"the certificate of the agent at {self.address} is not trusted ({error}); give its "
                        "certificate as certificate_file in the profile."
                    ) from None
                trouble = str(error) or type(error).__name__
            if answer is not None and answer.status_code not in _BUSY:
                if cut_off:
                    self._say(
                        f"the agent at {self.address} answers again after {self._clock.now() - start:.0f} s."
                    )
                self._check_token(answer)
                return answer
            if self._clock.now() - start > self._patience_seconds:
                raise AgentError(
                    f"the agent at {self.address} has not answered for {self._patience_seconds:.0f} s "
                    f"({trouble or 'it is busy'}); see that `compresskit agent` runs and can be reached."
                )
            if answer is None and not cut_off:
                cut_off = True
                self._say(
                    f"the agent at {self.address} does not answer ({trouble}); trying again for up to "
                    f"{self._patience_seconds:.0f} s."
                )
            self._clock.sleep(max(pause, _asked_pause(answer)))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _check_token(self, answer: httpx.Response) -> None:
        if answer.status_code == 401:
            raise AgentError(
                f"the agent at {self.address} does not know this token; copy the token file that "
                "`compresskit agent` names when it starts, and give it as token_file in the profile."
            )


def read_answer(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises AgentError when it is none: no agent answers there."""
    try:
        value = answer.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise AgentError(
            f"what answers at {answer.url.copy_with(path='/')} is not a compresskit agent "
            f"(HTTP {answer.status_code}); check the address in the profile."
        )
    return value


def _check_address(address: str) -> None:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise AgentError(f"address {address!r} is not a URL: {error}.") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise AgentError(f"address {address!r} is not an agent's; permitted: https://HOST:PORT.")
    if url.scheme == "http" and not is_loopback(url.host):
        raise AgentError(
            f"address {address!r} would send the token in clear; permitted: https, and http on this machine "
            "only. Start the agent with --certfile and --keyfile, or reach it through an SSH tunnel."
        )


def _trust(certificate_file: Path | None) -> Any:
    if certificate_file is None:
        return True
    import ssl

    try:
        return ssl.create_default_context(cafile=str(certificate_file))
    except (OSError, ssl.SSLError) as error:
        raise AgentError(f"certificate_file {certificate_file} cannot be read: {error}.") from None


def _is_certificate(error: httpx.TransportError) -> bool:
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def _asked_pause(answer: httpx.Response | None) -> float:
    text = "" if answer is None else answer.headers.get("Retry-After", "")
    return min(float(text), 60.0) if text.isdigit() else 0.0
