"""Real engines through an agent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from compresskit.bundle.batching import run_rows
from compresskit.errors import AgentError
from compresskit.inputs import TEXT, text_inputs
from compresskit.target.base import SessionSettings
from compresskit.target.comparison_result import Comparison, EngineMeasurement, Ratio
from compresskit.target.remote_bench import RemoteBench, comparison_from_json
from compresskit.target.runner import EngineToMeasure
from tests.target.agent import graphs
from tests.target.agent.running import RunningAgent

RNG = np.random.default_rng(0)
ROWS = [{"input_ids": RNG.integers(1, graphs.VOCABULARY, size).tolist()} for size in (3, 9, 1, 9, 4)]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAgent]:
    running = RunningAgent(tmp_path_factory.mktemp("bench"))
    yield running
    running.kill()


def test_logits_are_those_of_the_engine(agent: RunningAgent, tmp_path: Path) -> None:
    model = graphs.pooled_graph()
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = [session.run(None, graphs.feed_of(row["input_ids"]))[0][0] for row in ROWS]
    said: list[str] = []
    with RemoteBench(agent.profile, say=said.append) as bench:
        found = bench.logits(path, ROWS, session=SessionSettings())
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
        assert not said
        agent.kill()
        agent.start()
        again = bench.logits(path, ROWS, inputs=text_inputs(TEXT.names, 7))
    np.testing.assert_array_equal(again, found)
    assert any("Sending all engines again" in text for text in said)


def test_rows_of_several_texts(agent: RunningAgent) -> None:
    """Unequal numbers of texts of unequal lengths travel as they are padded here."""
    inputs = TEXT.along(("choices", "length"))
    rows = [{"input_ids": [[5, 6, 7], [8]]}, {"input_ids": [[9], [10, 11], [12, 13, 14, 15]]}]
    model = graphs.summed_graph().SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    with RemoteBench(agent.profile) as bench:
        found = bench.logits(model, rows, inputs=inputs)
    np.testing.assert_allclose(found, run_rows(session, rows, inputs=inputs), rtol=1e-5, atol=1e-6)
    assert found.tolist() == [[18, 8, 0], [9, 21, 54]]


def test_positions_are_counted_for_a_graph_that_asks_for_them(agent: RunningAgent) -> None:
    model = graphs.positioned_graph().SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    rows = [row for row in ROWS if len(row["input_ids"]) == 9]
    ids = np.asarray([row["input_ids"] for row in rows])
    (wanted,) = session.run(None, {"input_ids": ids, "position_ids": np.arange(9) + 0 * ids})
    with RemoteBench(agent.profile) as bench:
        np.testing.assert_allclose(bench.logits(model, rows), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run_rows(session, rows), wanted, rtol=1e-5, atol=1e-6)


def test_compares_engines(agent: RunningAgent) -> None:
    small, large = (graphs.text_graph(width=width).SerializeToString() for width in (16, 1024))
    with RemoteBench(agent.profile.with_(length=64)) as bench:
        found = bench.compare(
            [EngineToMeasure("large", large), EngineToMeasure("small", small, size_bytes=7)]
        )
    assert [each.name for each in found.measurements] == ["large", "small"]
    assert [each.size_bytes for each in found.measurements] == [len(large), 7]
    (ratio,) = found.ratios
    assert (ratio.engine, ratio.baseline) == ("small", "large")
    assert ratio.speedup > 1


def test_engine_is_checked_as_any_graph(agent: RunningAgent) -> None:
    with RemoteBench(agent.profile) as bench, pytest.raises(AgentError, match="evil"):
        bench.logits(graphs.custom_domain().SerializeToString(), ROWS)


def test_fixed_length_is_kept(agent: RunningAgent) -> None:
    model = graphs.pooled_graph(batch=2, length=8)
    with RemoteBench(agent.profile) as bench:
        fitting = [row for row in ROWS if len(row["input_ids"]) <= 8]
        assert bench.logits(model.SerializeToString(), fitting).shape == (3, 5)
        with pytest.raises(AgentError, match="9 tokens; the engine's fixed length is 8"):
            bench.logits(model.SerializeToString(), ROWS)


def test_memory_bomb_in_an_engine_is_cut_off(agent: RunningAgent) -> None:
    with RemoteBench(agent.profile) as bench:
        with pytest.raises(AgentError, match="memory limit"):
            bench.logits(graphs.bomb(400 << 20).SerializeToString(), ROWS)
        assert len(bench.logits(graphs.pooled_graph().SerializeToString(), ROWS)) == len(ROWS)


def test_comparison_comes_back_whole() -> None:
    measured = EngineMeasurement(
        "a", (1.0, 2.0), 1.5, (1.0, 2.0), None, None, 10.0, 5.0, None, 100, {"cpu": 3}
    )
    whole = Comparison((measured,), (Ratio("a", "b", 2.0, (1.5, 2.5)),), {"threads": 1}, ("noisy",))
    assert comparison_from_json(whole.to_json()) == whole
    with pytest.raises(AgentError, match="no comparison"):
        comparison_from_json({"engines": [{}]})
