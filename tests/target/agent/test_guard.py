"""Jobs that attack the agent: graphs and settings are refused or cut off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest

from compresskit.target.stripped_graph import strip_weights
from tests.target.agent import graphs
from tests.target.agent.running import PROFILE, RunningAgent, failure, serve_honest
from tests.target.agent.test_checks import mutated


@pytest.mark.parametrize(
    "attack",
    [
        graphs.terabyte,
        graphs.endless_loop,
        graphs.outside_data,
        graphs.outside_attribute,
        graphs.outside_subgraph,
        graphs.outside_sparse,
        graphs.custom_domain,
        graphs.compiled_context,
        graphs.local_function,
    ],
)
def test_graph_is_refused(agent: RunningAgent, attack: Callable[[], onnx.ModelProto]) -> None:
    with agent.client() as client:
        status, kind, _ = failure(client, attack())
    assert (status, kind) == (422, "refused")


def test_malformed_graphs(client: httpx.Client) -> None:
    rng = np.random.default_rng(1)
    honest = strip_weights(graphs.text_graph()).SerializeToString()
    for _ in range(15):
        status, kind, message = failure(client, mutated(honest, rng))
        assert (status, kind) in {(422, "refused"), (422, "failed"), (200, "none")}, message


@pytest.mark.slow
def test_many_malformed_graphs(client: httpx.Client) -> None:
    rng = np.random.default_rng(2)
    honest = strip_weights(graphs.text_graph()).SerializeToString()
    for _ in range(2_000):
        status, _, message = failure(client, mutated(honest, rng))
        assert status in (200, 422), message


@pytest.mark.parametrize("sizes", [(1 << 20, 1 << 20), (400 << 20,)])
def test_memory_bomb_is_cut_off(client: httpx.Client, sizes: tuple[int, ...]) -> None:
    status, kind, message = failure(client, graphs.bomb(*sizes))
    assert (status, kind) == (422, "memory"), message


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (
            "profile",
            {**PROFILE.to_json(), "session_options": {"session.optimized_model_filepath": "/x"}},
            "refuses",
        ),
        (
            "profile",
            {**PROFILE.to_json(), "session_options": {"session.dynamic_block_base": "/etc/x"}},
            "no paths",
        ),
        ("profile", {**PROFILE.to_json(), "provider_options": {"trt_engine_cache_path": "/x"}}, "refuses"),
        ("profile", {**PROFILE.to_json(), "length": 1 << 40}, "tokens"),
        ("profile", {**PROFILE.to_json(), "threads": 10_000}, "threads"),
        ("profile", {**PROFILE.to_json(), "max_seconds": 1e9}, "max_seconds"),
        ("profile", {**PROFILE.to_json(), "max_seconds": "long"}, "max_seconds"),
        ("profile", {**PROFILE.to_json(), "address": "https://elsewhere"}, "address"),
        ("profile", {"name": "x", "unheard": 1}, "unheard"),
        ("profile", 7, "malformed"),
        ("session", {"options": {"ep.context_file_path": "/etc/x"}}, "refuses"),
        ("session", {"disabled_optimizers": ["../x"]}, "not known"),
        ("session", {"optimization_level": "x"}, "level"),
        ("unheard", 1, "permitted"),
    ],
)
def test_settings_are_refused(agent: RunningAgent, field: str, value: object, words: str) -> None:
    with agent.client() as client:
        status, kind, message = failure(client, graphs.text_graph(), **{field: value})
    assert (status, kind) == (422, "refused")
    assert words in message


def test_graph_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    agent = RunningAgent(tmp_path, job_seconds=8.0)  # in which a slow machine does an honest job
    try:
        with agent.client() as client:
            status, kind, message = failure(client, graphs.never_ending())
            assert (status, kind) == (422, "time"), message
            serve_honest(client)
    finally:
        agent.kill()
