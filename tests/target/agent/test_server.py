"""The agent's requests and answers: strangers, slow and malformed bodies, many clients at once."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from compresskit.target.agent.protocol import PROTOCOL, pack_head
from compresskit.target.stripped_graph import strip_weights
from tests.target.agent import graphs
from tests.target.agent.running import PATIENCE_SECONDS, RunningAgent, body_of, ended, serve_honest, submit


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
def test_token_is_needed_everywhere(agent: RunningAgent, header: dict[str, str]) -> None:
    with agent.stranger(header) as stranger:
        for method, path in (
            ("GET", "/v1/info"),
            ("POST", "/v1/measurements"),
            ("GET", f"/v1/measurements/{'0' * 32}"),
            ("GET", "/nowhere"),
        ):
            answer = stranger.request(method, path)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert agent.token not in answer.text


def test_tells_what_it_is(client: httpx.Client) -> None:
    facts = client.get("/v1/info").json()
    assert facts["protocol"] == PROTOCOL
    assert facts["opset"] >= 17
    assert facts["ir_version"] >= 8
    assert "CPUExecutionProvider" in facts["providers"]
    assert facts["host"]["cores_logical"] >= 1


def test_body_too_large(client: httpx.Client) -> None:
    for _ in range(10):
        answer = submit(client, bytes(20 << 20))
        assert (answer.status_code, answer.json()["error"]["kind"]) == (413, "size")
        assert client.post("/v1/anything", content=bytes(2 << 20)).status_code == 404


def test_stranger_with_a_body_reads_the_refusal(agent: RunningAgent) -> None:
    with agent.stranger() as stranger:
        for _ in range(20):
            assert stranger.post("/v1/measurements", content=bytes(2 << 20)).status_code == 401


def test_slow_stranger_reads_the_refusal(agent: RunningAgent) -> None:
    """What comes no slower than a body may is taken before the answer, however long that lasts."""

    def slowly() -> Iterator[bytes]:
        for _ in range(4):
            yield bytes(1 << 18)
            time.sleep(0.8)

    with agent.stranger({"Content-Length": str(4 << 18)}) as stranger:
        assert stranger.post("/v1/measurements", content=slowly()).status_code == 401


def test_body_without_length(client: httpx.Client) -> None:
    answer = client.post("/v1/measurements", content=iter([b"abc"]))
    assert answer.status_code == 411


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAgent]:
    """For the tests that try its patience, and no others: honest work on a busy machine may be as slow."""
    running = RunningAgent(tmp_path_factory.mktemp("impatient"), body_seconds=1.0, header_seconds=3.0)
    yield running
    assert running.stop() == 0


def connected(agent: RunningAgent) -> socket.socket:
    return socket.create_connection(("127.0.0.1", agent.port), timeout=PATIENCE_SECONDS)


def raw(agent: RunningAgent, *, length: int, sent: bytes) -> bytes:
    """Send headers and `sent`, keep the connection, and return all that comes back until it closes."""
    with connected(agent) as connection:
        connection.sendall(
            b"POST /v1/measurements HTTP/1.1\r\nHost: agent\r\n"
            + f"Authorization: Bearer {agent.token}\r\nContent-Length: {length}\r\n\r\n".encode()
            + sent
        )
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
        return received


def test_slow_body(impatient: RunningAgent) -> None:
    assert b" 408 " in raw(impatient, length=1000, sent=b"abc").splitlines()[0]
    with impatient.client() as client:
        assert client.get("/v1/info").status_code == 200


def test_slow_headers(impatient: RunningAgent) -> None:
    with connected(impatient) as connection:
        connection.sendall(b"GET /v1/info HTTP/1.1\r\nX-Slow: ")
        assert connection.recv(4096) == b""
    with impatient.client() as client:
        assert client.get("/v1/info").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x02{}",
        b"\x00\x00\x00\x02[]",
        pack_head("../../../etc/passwd", {}, []),
        pack_head("0" * 32, {}, [("model", 10)]),
        pack_head("0" * 32, {}, [("model", -10)]),
        pack_head("0" * 32, {}, []),
        b"\x00\x00\x10\x00" + b"[" * 4096,
    ],
)
def test_malformed_body(client: httpx.Client, body: bytes) -> None:
    answer = submit(client, body)
    assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "refused")


def test_another_protocol_is_named(client: httpx.Client) -> None:
    head = json.dumps({"protocol": 99, "id": "0" * 32, "parts": []}).encode()
    answer = submit(client, len(head).to_bytes(4, "big") + head)
    assert answer.status_code == 422
    assert "protocol 99" in answer.json()["error"]["message"]


def test_same_id_is_done_once(client: httpx.Client) -> None:
    job_id = secrets.token_hex(16)
    body = body_of(job_id, graphs.text_graph())
    assert submit(client, body).status_code == 202
    first = ended(client, job_id).json()
    again = submit(client, body)
    assert again.status_code == 200
    assert again.json() == first
    assert submit(client, body_of(job_id, graphs.text_graph(seed=5))).status_code == 409


def test_unknown_job(client: httpx.Client) -> None:
    assert client.get(f"/v1/measurements/{'a' * 32}").status_code == 404
    assert client.get("/v1/measurements/..%2F..%2Fetc%2Fpasswd").status_code == 404
    assert client.post("/v1/anything", content=b"").status_code == 404


def test_a_vanished_client_blocks_nobody(tmp_path: Path) -> None:
    """Its job would run for minutes; others wait for a moment, and it may come back."""
    running = RunningAgent(tmp_path, client_seconds=0.5)
    try:
        job_id = secrets.token_hex(16)
        body = body_of(job_id, graphs.never_ending())
        with running.client() as vanishing:
            assert submit(vanishing, body).status_code == 202
            with contextlib.suppress(httpx.ReadTimeout):
                vanishing.get(f"/v1/measurements/{job_id}", params={"wait": "20"}, timeout=1.0)
        with running.client() as honest:
            start = time.monotonic()
            serve_honest(honest)
            assert time.monotonic() - start < 60
            assert honest.get(f"/v1/measurements/{job_id}").status_code == 404
            assert submit(honest, body).status_code == 202
    finally:
        running.kill()


def test_fifty_clients_at_once(agent: RunningAgent, client: httpx.Client) -> None:
    """More than the queue holds: each is served or told to come back, and nothing is lost."""
    refused = strip_weights(graphs.endless_loop())

    def one(number: int) -> tuple[int, int]:
        job_id = secrets.token_hex(16)
        with agent.client() as own:
            first = submit(own, body_of(job_id, refused))
            if first.status_code == 429:
                assert int(first.headers["Retry-After"]) > 0
                submit(own, body_of(job_id, refused), patient=True)
            return first.status_code, ended(own, job_id).status_code

    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(one, range(50)))
    assert {first for first, _ in found} <= {202, 429}
    assert {last for _, last in found} == {422}


def test_memory_stays_bounded(agent: RunningAgent, client: httpx.Client) -> None:
    server = psutil.Process(agent.process.pid)
    assert server.memory_info().rss < 400 << 20
    for child in server.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            assert child.memory_info().rss <= 1 << 30
