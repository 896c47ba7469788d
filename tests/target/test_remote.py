"""A search's side of an agent: honest work, and what a restart, a cut network or a wrong token does."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from compresskit.errors import AgentError, TargetError
from compresskit.target.agent.transport import Clock, Transport
from compresskit.target.base import SessionSettings
from compresskit.target.remote import RemoteTarget, adapt
from tests.target.agent import graphs
from tests.target.agent.running import PROFILE, RunningAgent

MODEL = graphs.text_graph().SerializeToString()
REFERENCE = graphs.text_graph(width=24).SerializeToString()


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAgent]:
    running = RunningAgent(tmp_path_factory.mktemp("remote"))
    yield running
    running.kill()


def test_measures(agent: RunningAgent) -> None:
    with RemoteTarget(agent.profile) as target:
        settings = SessionSettings(options={"session.enable_mem_pattern": "0"})
        found = target.measure(MODEL, reference=REFERENCE, session=settings)
        assert found.median_ms > 0
        assert found.samples_ms
        assert found.conditions["session"] == settings.to_json()
        assert target.conditions()["onnxruntime"] == found.conditions["onnxruntime"]
        assert target.conditions()["host"] == found.conditions["host"]


def test_sampling_ends_with_the_seconds_given(agent: RunningAgent) -> None:
    profile = agent.profile.with_(interval_precision=1e-6, max_seconds=2.0, max_runs=100_000)
    with RemoteTarget(profile) as target:
        short, whole = (len(target.measure(MODEL, seconds=seconds).samples_ms) for seconds in (0.1, None))
    assert 3 * short < whole


def test_real_weights_travel_when_asked(agent: RunningAgent) -> None:
    with RemoteTarget(agent.profile.with_(send_weights=True)) as target:
        assert target.measure(MODEL).median_ms > 0
        assert target.conditions()["weights"] == "real"


def test_level_of_the_reference_stays(agent: RunningAgent, tmp_path: Path) -> None:
    """Whatever level an agent finds after a restart, a search is corrected to its own, unless it is lower."""
    baselines = tmp_path / "levels.json"
    levels = []
    for _ in range(2):
        with RemoteTarget(agent.profile, baselines=baselines) as target:
            levels.append(target.measure(MODEL).reference_level_ms)
        agent.kill()
        agent.start()
    assert levels[0] is not None and levels[1] is not None
    assert levels[1] == levels[0] or levels[1] < 0.97 * levels[0]
    kept = json.loads(baselines.read_text()).values()
    assert levels[1] in kept
    # Those of both built-in ones are of one state of the machine, so they come together.
    assert len(kept) == 2


def test_ratio_to_an_own_reference_needs_no_level(agent: RunningAgent) -> None:
    with RemoteTarget(agent.profile) as target:
        ratio, low, high = target.measure(MODEL, reference=MODEL).ratio
    assert low <= 1.0 <= high or ratio == pytest.approx(1, abs=0.2)


def test_refused_graph_is_not_sent_again(agent: RunningAgent) -> None:
    said: list[str] = []
    with RemoteTarget(agent.profile, say=said.append) as target:
        with pytest.raises(AgentError, match=r"the agent refuses the graph: operator ai\.onnx\.Loop"):
            target.measure(graphs.endless_loop().SerializeToString())
        assert target.measure(MODEL).median_ms > 0
    assert not said


def test_wrong_token(agent: RunningAgent, tmp_path: Path) -> None:
    wrong = tmp_path / "token"
    wrong.write_text("not-the-token-of-this-agent")
    wrong.chmod(0o600)
    with pytest.raises(AgentError, match="does not know this token"):
        RemoteTarget(agent.profile.with_(token_file=str(wrong)))


def test_killed_and_restarted_while_it_measures(agent: RunningAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed once it has begun, and started again once its client has seen that it is gone."""
    said: list[str] = []
    killed: list[bool] = []
    long = agent.profile.with_(max_seconds=1.0, min_runs=50_000, max_runs=100_000, interval_precision=1e-6)

    def say(text: str) -> None:
        said.append(text)
        if "does not answer" in text:
            agent.start()

    with RemoteTarget(long, say=say) as target:
        ask = target._transport.get

        def get(path: str, **query: str) -> httpx.Response:
            if "measurements" in path and not killed:
                while ask(path).json()["state"] == "queued":
                    time.sleep(0.02)
                agent.kill()
                killed.append(True)
            return ask(path, **query)

        monkeypatch.setattr(target._transport, "get", get)
        found = target.measure(MODEL)
    assert found.median_ms > 0
    assert ["does not answer" in text for text in said] == [True, False, False]
    assert any("was restarted, or cut off for long; sending the graph again" in text for text in said)
    assert set(said) <= set(found.warnings)


class Wire:
    """A forwarder between client and agent that can be cut and repaired."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._pairs: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.cut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._to))
            self._pairs += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        other.close()

    def break_off(self) -> None:
        self.cut = True
        for each in self._pairs:
            with contextlib.suppress(OSError):  # it is closed
                each.shutdown(socket.SHUT_RDWR)  # a thread that reads from it would keep it open

    def close(self) -> None:
        self._listener.close()
        self.break_off()


def test_network_cut_is_survived_and_said(agent: RunningAgent) -> None:
    wire = Wire(agent.port)
    said: list[str] = []
    profile = agent.profile.with_(address=f"http://127.0.0.1:{wire.port}")

    def say(text: str) -> None:
        said.append(text)
        wire.cut = False

    try:
        with RemoteTarget(profile, say=say) as target:
            wire.break_off()
            found = target.measure(MODEL)
    finally:
        wire.close()
    assert found.median_ms > 0
    assert "does not answer" in found.warnings[-2]
    assert "answers again after" in found.warnings[-1]
    assert said == list(found.warnings[-2:])


def test_patience_ends(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token-that-nobody-asks-for")
    token.chmod(0o600)
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # held, so that nobody else comes to listen there
        transport = Transport(
            f"http://127.0.0.1:{silent.getsockname()[1]}",
            token_file=token,
            patience_seconds=60,
            clock=Clock(lambda: now[0], sleep),
        )
        with pytest.raises(AgentError, match="has not answered for 60 s"):
            transport.get("/v1/info")
        transport.close()
    assert 60 < now[0] < 80


@pytest.mark.parametrize("address", ["http://192.0.2.1:80", "http://device.local:80", "ftp://127.0.0.1", "x"])
def test_addresses_that_would_leak_the_token(address: str) -> None:
    with pytest.raises(AgentError, match="permitted: https"):
        RemoteTarget(PROFILE.with_(address=address))


def test_opset_that_is_too_new() -> None:
    model = graphs.text_graph(opset=21, ir_version=10)
    with pytest.raises(TargetError, match="opset 21; ONNX Runtime on the agent loads up to 20"):
        adapt(model, opset=20, ir_version=10)
    adapt(model, opset=21, ir_version=8)
    assert model.ir_version == 8
