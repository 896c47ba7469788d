from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.target.agent.running import RunningAgent, serve_honest


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAgent]:
    """One agent for all tests of this folder: what one did to it, the next would feel."""
    running = RunningAgent(tmp_path_factory.mktemp("agent"), body_bytes=1 << 20, max_waiting=20)
    yield running
    assert running.stop() == 0


@pytest.fixture
def client(agent: RunningAgent) -> Iterator[httpx.Client]:
    """After whatever a test sends, the next honest job is served."""
    with agent.client() as client:
        yield client
        serve_honest(client)
