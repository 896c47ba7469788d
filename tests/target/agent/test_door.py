"""Connections that show no token: they make room for others, and answers wait for nobody."""

from __future__ import annotations

import contextlib
import socket
import ssl
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from compresskit.target.agent.door import GRACE_SECONDS, Door, Strangers
from tests.target.agent.running import PATIENCE_SECONDS, RunningAgent
from tests.target.agent.test_serve import make_certificate

MOST = 20


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    made = [socket.socketpair() for _ in range(12)]
    yield made
    for pair in made:
        for each in pair:
            each.close()


def is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True


def test_one_too_many_closes_the_oldest(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    clock = Clock()
    strangers = Strangers(3, now=clock)
    for number, (ours, _) in enumerate(pairs[:6]):
        strangers.add(ours, number)
        clock.now += 2 * GRACE_SECONDS
    assert [is_open(client) for _, client in pairs[:6]] == [False] * 3 + [True] * 3
    assert len(strangers) == 3


def test_who_has_shown_the_token_stays(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    clock = Clock()
    strangers = Strangers(2, now=clock)
    for number, (ours, _) in enumerate(pairs[:8]):
        strangers.add(ours, number)
        if number == 0:
            strangers.remove(0)
        clock.now += 2 * GRACE_SECONDS
    assert is_open(pairs[0][1])
    assert not is_open(pairs[1][1])


def test_the_newest_have_a_second_unless_there_is_a_crowd(
    pairs: list[tuple[socket.socket, socket.socket]],
) -> None:
    strangers = Strangers(3, now=Clock())
    for number, (ours, _) in enumerate(pairs[:6]):
        strangers.add(ours, number)
    assert all(is_open(client) for _, client in pairs[:6])
    for number, (ours, _) in enumerate(pairs[6:]):
        strangers.add(ours, 6 + number)
    assert len(strangers) == strangers.limit == 6
    assert [is_open(client) for _, client in pairs] == [False] * 6 + [True] * 6


def test_closed_ones_take_no_place(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    strangers = Strangers(3, now=Clock())
    for number, (ours, _) in enumerate(pairs[:4]):
        strangers.add(ours, number)
        if number < 2:
            ours.close()
    assert len(strangers) == 2  # what is closed at the front goes with the first look


def test_accepted_connections_send_at_once() -> None:
    with (
        Door.open("127.0.0.1", 0, Strangers(3)) as door,
        socket.create_connection(door.getsockname()),
        door.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.fixture(scope="module", params=["http", "https"])
def guarded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningAgent]:
    folder: Path = tmp_path_factory.mktemp("guarded")
    files = {}
    if request.param == "https":
        files = dict(zip(("certfile", "keyfile"), make_certificate(folder), strict=True))
    running = RunningAgent(folder, **files, max_strangers=MOST, max_connections=60)
    yield running
    assert running.stop() == 0


def client_of(agent: RunningAgent) -> httpx.Client:
    certificate = agent.paths.get("certfile")
    return httpx.Client(
        base_url=agent.address,
        headers={"Authorization": f"Bearer {agent.token}"},
        trust_env=False,
        verify=True if certificate is None else _trusting(certificate),
        timeout=PATIENCE_SECONDS,
    )


def _trusting(certificate: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


def test_silent_connections_keep_nobody_out(guarded: RunningAgent) -> None:
    with contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", guarded.port))) for _ in range(300)
        ]
        for _ in range(10):
            with client_of(guarded) as client:
                assert client.get("/v1/info").status_code == 200
        kept = stack.enter_context(client_of(guarded))
        assert kept.get("/v1/info").status_code == 200
        silent += [
            stack.enter_context(socket.create_connection(("127.0.0.1", guarded.port))) for _ in range(100)
        ]
        assert kept.get("/v1/info").status_code == 200
        deadline = time.monotonic() + PATIENCE_SECONDS
        while sum(map(is_open, silent)) > 2 * MOST and time.monotonic() < deadline:
            time.sleep(0.05)
        assert sum(map(is_open, silent)) <= 2 * MOST


def test_more_clients_than_permitted_are_told_to_come_back(tmp_path: Path) -> None:
    agent = RunningAgent(tmp_path, max_connections=3)
    with contextlib.ExitStack() as stack:
        stack.callback(agent.kill)
        clients = [stack.enter_context(client_of(agent)) for _ in range(5)]
        assert [client.get("/v1/info").status_code for client in clients] == [200] * 3 + [503] * 2
        assert clients[0].get("/v1/info").status_code == 200
        clients[1].close()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while clients[4].get("/v1/info").status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert clients[4].get("/v1/info").status_code == 200


def test_answers_on_a_kept_connection_are_not_held_back(guarded: RunningAgent) -> None:
    """Delayed acknowledgements take 40 ms; an answer in two pieces must not wait for one."""
    with client_of(guarded) as client:
        client.get("/v1/info")
        seconds = []
        for _ in range(20):
            start = time.perf_counter()
            assert client.get("/v1/info").status_code == 200
            seconds.append(time.perf_counter() - start)
    assert statistics.median(seconds) < 0.02
