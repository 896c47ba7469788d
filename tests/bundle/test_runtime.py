from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from compresskit.bundle import runtime
from compresskit.bundle.loader import load_engine
from compresskit.bundle.runtime import (
    RuntimeLimit,
    check_runtime,
    lowest_runtime,
    parse_limit,
    parse_version,
    runtime_facts,
)
from compresskit.errors import ConfigurationError, EngineError
from tests.bundle.test_manifest import make_manifest
from tests.pipeline.tiny import write_engine


def graph(*operators: tuple[str, str], opset: int = 20) -> ModelProto:
    """Operators (domain, type) in a row; it need not run."""
    values = [f"v{i}" for i in range(len(operators) + 1)]
    nodes = [
        helper.make_node(kind, [values[i]], [values[i + 1]], domain=domain)
        for i, (domain, kind) in enumerate(operators)
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in (values[0], values[-1])]
    opsets = [helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("", opset)]
    return helper.make_model(
        helper.make_graph(nodes, "g", ends[:1], ends[1:]), opset_imports=opsets, ir_version=9
    )


RELU, QUANTIZE = ("", "Relu"), ("", "QuantizeLinear")
CONTRIB_ATTENTION, CONTRIB_NORM = ("com.microsoft", "Attention"), ("com.microsoft", "SkipLayerNormalization")
ONNX_ATTENTION = ("", "Attention")


@pytest.mark.parametrize(
    ("model", "lowest"),
    [
        (graph(RELU), (1, 18, 0)),
        (graph(RELU, QUANTIZE), (1, 18, 0)),
        (graph(CONTRIB_NORM), (1, 20, 1)),
        (graph(CONTRIB_ATTENTION, CONTRIB_NORM), (1, 21, 1)),
        (graph(("com.microsoft", "MultiHeadAttention")), (1, 21, 1)),
        (graph(ONNX_ATTENTION, opset=23), (1, 23, 0)),
        (graph(ONNX_ATTENTION, QUANTIZE, opset=23), (1, 24, 1)),
        (graph(ONNX_ATTENTION, ("", "DynamicQuantizeLinear"), opset=23), (1, 23, 0)),
    ],
)
def test_lowest_runtime_by_operators(model: ModelProto, lowest: runtime.Version) -> None:
    assert lowest_runtime(model) == lowest
    assert RuntimeLimit(lowest).objection(model) is None
    older = (lowest[0], lowest[1] - 1, 9)
    said = RuntimeLimit(older).objection(model)
    assert said == f"it needs onnxruntime {'.'.join(map(str, lowest))}, and 1.{older[1]}.9 must run it"


def test_operators_that_nobody_proved_are_not_taken_for_right() -> None:
    with pytest.raises(EngineError, match=r"com\.microsoft\.FusedGelu was not tested in any ONNX Runtime"):
        lowest_runtime(graph(("com.microsoft", "FusedGelu")))


def test_static_int8_is_foreseen() -> None:
    limit = RuntimeLimit((1, 23, 2))
    model = graph(ONNX_ATTENTION, opset=23)
    assert limit.objection(model) is None
    assert "1.24.1" in (limit.objection(model, static_int8=True) or "")


def test_portable_forbids_operators_of_others() -> None:
    limit = RuntimeLimit((1, 99, 0), portable=True)
    assert limit.objection(graph(ONNX_ATTENTION, opset=23)) is None
    assert "operators of com.microsoft" in (limit.objection(graph(RELU, CONTRIB_NORM)) or "")


def test_facts_for_the_manifest() -> None:
    assert runtime_facts(graph(CONTRIB_ATTENTION)) == {
        "onnxruntime": "1.21.1",
        "opset": 20,
        "ir_version": 9,
        "other_domains": ["com.microsoft"],
    }


@pytest.mark.parametrize(
    ("text", "version"),
    [(">=1.20", (1, 20, 0)), (">= 1.21.1", (1, 21, 1)), ("1.18", (1, 18, 0)), (" >=2.0 ", (2, 0, 0))],
)
def test_notations_of_a_limit(text: str, version: runtime.Version) -> None:
    assert parse_limit(text) == version


@pytest.mark.parametrize("text", ["", "1", "<1.20", "==1.20", ">=1.17.3", "latest", ">=1.20,<2", "1.20.x"])
def test_other_notations_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r'--runtime is .*permitted: .* from ">=1\.18\.0"'):
        parse_limit(text)


def test_versions_of_development_builds() -> None:
    assert parse_version("1.24.0.dev20261130") == (1, 24, 0)
    assert parse_version("1.9") < parse_version("1.20")


@pytest.mark.parametrize("version", ["1.18.1", "1.20.1", "1.21.0"])
def test_an_older_runtime_is_refused_by_name(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_engine(
        tmp_path / "engine", variant="packed", runtime=runtime_facts(graph(CONTRIB_ATTENTION))
    )
    assert load_engine(folder).predict(["good"]).shape == (1, 2)
    monkeypatch.setattr("onnxruntime.__version__", version)
    words = rf"engine needs onnxruntime 1\.21\.1 or later, this is {version}.*variant packed.*--runtime"
    with pytest.raises(EngineError, match=words):
        load_engine(folder)


def test_an_engine_of_before_is_judged_by_its_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_engine(tmp_path / "engine")
    path = folder / "onnx" / "model.onnx"
    model = onnx.load(str(path))
    model.graph.node.append(graph(CONTRIB_NORM).graph.node[0])
    onnx.save(model, str(path))
    monkeypatch.setattr("onnxruntime.__version__", "1.19.2")
    with pytest.raises(EngineError, match=r"needs onnxruntime 1\.20\.1"):
        check_runtime(folder, make_manifest(), path)
    check_runtime(folder, replace(make_manifest(), runtime={"onnxruntime": "1.18.0"}), path)


def test_no_texts_give_no_logits_for_each_label(tmp_path: Path) -> None:
    engine = load_engine(write_engine(tmp_path / "engine"))
    found: Any = engine.predict([])
    assert found.shape == (0, 2)
    assert found.dtype == "float32"
    assert engine.encode([]) == []
