"""What an agent meets on loopback: honest clients, mutated requests, and connections that say nothing."""

from __future__ import annotations

import contextlib
import random
import secrets
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from compresskit.target.agent.protocol import pack_head
from compresskit.target.profile import Profile

PROFILE = Profile(
    "load", length=8, interval_precision=0.5, warmup_runs=1, min_runs=5, max_runs=20, max_seconds=0.2
)
PATIENCE_SECONDS = 300.0  # of an honest client for one measurement
_ANSWER_SECONDS = 2.0  # a changed length may have the agent wait for more than comes


@dataclass
class Tally:
    """What was answered, by HTTP status or by what went wrong instead."""

    answers: Counter[str] = field(default_factory=Counter)
    waits_ms: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: object) -> None:
        with self.lock:
            self.answers[str(what)] += 1


def body_of(graph: bytes, job_id: str) -> bytes:
    """A measurement's body."""
    fields: dict[str, Any] = {"profile": PROFILE.to_json(), "session": None}
    return pack_head(job_id, fields, [("model", len(graph))]) + graph


def honest(address: str, token: str, graph: bytes, measurements: int, tally: Tally) -> None:
    """Ask for measurements one after another; each answer is noted, and `done` for each that went well."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=60.0) as client:
        for _ in range(measurements):
            try:
                follow(client, graph, tally)
            except httpx.HTTPError as error:
                tally.note(type(error).__name__)


def follow(client: httpx.Client, graph: bytes, tally: Tally) -> None:
    """Ask for one measurement, and until it has ended."""
    job_id = secrets.token_hex(16)
    start = time.monotonic()
    answer = client.post("/v1/measurements", content=body_of(graph, job_id))
    tally.note(answer.status_code)
    while answer.status_code == 202 and time.monotonic() - start < PATIENCE_SECONDS:
        answer = client.get(f"/v1/measurements/{job_id}", params={"wait": "20"})
        tally.note(answer.status_code)
    if answer.status_code == 200 and answer.json()["result"]["median_ms"] > 0:
        tally.note("done")
        with tally.lock:
            tally.waits_ms.append(1e3 * (time.monotonic() - start))


def mutated(data: bytes, rng: random.Random) -> bytes:
    """`data` with some bytes changed, cut out, doubled or put elsewhere."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at, size = rng.randrange(max(1, len(changed))), rng.randint(1, 32)
        match rng.randrange(4):
            case 0:
                changed[at : at + size] = rng.randbytes(size)
            case 1:
                del changed[at : at + size]
            case 2:
                changed[at:at] = changed[at : at + size]
            case _:
                changed[at : at + 1] = bytes([0xFF] * rng.randint(1, 9))
    return bytes(changed)


def mutated_request(token: str, graph: bytes, rng: random.Random, *, of_head: bool) -> bytes:
    """A whole request whose HTTP head is changed, or else the header of its body."""
    body = body_of(graph, secrets.token_hex(16))
    if not of_head:
        header = len(body) - len(graph)
        body = mutated(body[:header], rng) + graph
    head = (
        "POST /v1/measurements HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    return (mutated(head, rng) if of_head else head) + body


def send(port: int, request: bytes, tally: Tally) -> None:
    """Send `request` as it is; what comes back is noted by its status."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS) as connection:
            with contextlib.suppress(OSError):  # refused before it was read whole
                connection.sendall(request)
            answer = connection.recv(4096)
        words = answer.split(b" ", 2)
        tally.note(words[1].decode(errors="replace") if len(words) > 1 else "closed")
    except OSError as error:
        tally.note(type(error).__name__)


class Silent:
    """Connections that say nothing; one that is closed is opened again, as long as the block runs."""

    def __init__(self, port: int, number: int) -> None:
        self.opened = 0
        self._port = port
        self._number = number
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._hold)

    def __enter__(self) -> Silent:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _hold(self) -> None:
        held: list[socket.socket] = []
        while not self._stop.wait(0.1):
            for each in [each for each in held if not _is_open(each)]:
                each.close()
                held.remove(each)
            while len(held) < self._number and not self._stop.is_set():
                with contextlib.suppress(OSError):
                    held.append(socket.create_connection(("127.0.0.1", self._port), timeout=5.0))
                    held[-1].setblocking(False)
                    self.opened += 1
        for each in held:
            each.close()


def _is_open(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
