"""Where the agent listens, and what it refuses to."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from compresskit.errors import AgentError, ConfigurationError
from compresskit.target.agent.limits import Limits
from compresskit.target.agent.protocol import PROTOCOL
from compresskit.target.agent.serve import serve
from compresskit.target.agent.transport import Transport
from tests.target.agent.running import RunningAgent

LIMITS = Limits(memory_bytes=512 << 20)


def refuse(message: str) -> None:
    raise AssertionError(message)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "device.local"])
def test_no_clear_text_beyond_this_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigurationError, match="needs TLS"):
        serve(host=host, port=0, token_file=tmp_path / "token", limits=LIMITS, say=refuse)


def test_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="go together"):
        serve(
            host="127.0.0.1",
            port=0,
            token_file=tmp_path / "t",
            certfile=tmp_path / "c",
            limits=LIMITS,
            say=refuse,
        )


def test_unreadable_certificate(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("no certificate")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        serve(
            host="127.0.0.1",
            port=0,
            token_file=tmp_path / "t",
            certfile=tmp_path / "c",
            keyfile=tmp_path / "c",
            limits=LIMITS,
            say=refuse,
        )


def test_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match="choose another --port"):
            serve(host="127.0.0.1", port=port, token_file=tmp_path / "t", limits=LIMITS, say=refuse)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 for itself, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=agent"]
    try:
        subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl here")
    return cert, key


def test_tls(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    agent = RunningAgent(tmp_path, certfile=cert, keyfile=key)
    try:
        assert agent.address.startswith("https://127.0.0.1:")
        trusting = Transport(agent.address, token_file=agent.token_file, certificate_file=cert)
        assert trusting.get("/v1/info").json()["protocol"] == PROTOCOL
        trusting.close()
        doubting = Transport(agent.address, token_file=agent.token_file)
        with pytest.raises(AgentError, match="not trusted"):
            doubting.get("/v1/info")
        doubting.close()
        assert ssl.get_server_certificate(("127.0.0.1", agent.port))
    finally:
        agent.kill()


def test_leaves_nothing_behind_even_when_killed(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    agent = RunningAgent(tmp_path, scratch=scratch)
    (own,) = scratch.glob("compresskit-agent-*")
    agent.kill()
    assert own.is_dir()
    agent.start()
    (after,) = scratch.glob("compresskit-agent-*")
    assert after != own
    assert agent.stop() == 0
    assert not after.exists()
