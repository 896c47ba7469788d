"""What export makes of a point."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from compresskit.architecture import Architecture
from compresskit.bundle.loader import load_engine
from compresskit.engine.count import count_macs, count_params
from compresskit.errors import (
    ConfigurationError,
)
from compresskit.pipeline.export import Choice, export
from compresskit.pipeline.models import load_model
from compresskit.pruning.reload import load_pruned
from compresskit.runs import RunDirectory


def test_exported_point_is_the_architecture_it_says(run: Path, tmp_path: Path) -> None:
    import onnx

    point = RunDirectory.open(run).front().points[0]
    manifest = export(run, tmp_path / "engine", Choice(pareto_idx=0))
    graph = onnx.load(tmp_path / "engine" / "onnx" / "model.onnx")
    assert manifest.architecture == point.architecture
    assert manifest.num_params == point.num_params == count_params(graph)
    assert manifest.macs == count_macs(graph, 1, 16)
    if manifest.variant == RunDirectory.open(run).info["variant"]:  # the check on the device agreed
        assert manifest.lineage["latency_ms"] == point.latency_ms
    assert manifest.device["cpu"] and "name" not in manifest.device
    widths = {tuple(item.dims) for item in graph.graph.initializer}
    for heads, units in Architecture.from_json(dict(manifest.architecture)).shapes:
        assert not heads or (32, heads * 8) in widths
        assert not units or (units, 32) in widths
    texts = ["the soup was not good at all", "a very good room"]
    with_runtime = load_engine(tmp_path / "engine").predict(texts)
    assert with_runtime.shape == (2, 2)
    assert load_pruned(tmp_path / "engine").config.num_hidden_layers == point_layers(point.signature)  # type: ignore[union-attr]


def point_layers(signature: str) -> int:
    return signature.count(",") + 1


def test_fine_tuned_point_has_other_weights(run: Path, tmp_path: Path) -> None:
    plain = export(run, tmp_path / "plain", Choice(trial=1))
    tuned = export(run, tmp_path / "tuned", Choice(trial=1), finetune_epochs=1)
    assert tuned.signature == plain.signature
    assert tuned.files["onnx/model.onnx"] != plain.files["onnx/model.onnx"]
    assert tuned.lineage["finetune_epochs"] == 1


def test_dense_is_the_fine_tuned_model(run: Path, tmp_path: Path) -> None:
    manifest = export(run, tmp_path / "dense", Choice(dense=True))
    assert manifest.signature == "4x64,4x64,4x64"
    exported = load_pruned(tmp_path / "dense").state_dict()
    dense = load_model(run / "supernet" / "dense_model").state_dict()
    assert exported.keys() == dense.keys()
    assert all(torch.equal(exported[name], value) for name, value in dense.items())


def test_triton_repository_answers_as_the_engine_does(run: Path, tmp_path: Path) -> None:
    from onnxruntime import InferenceSession

    said: list[str] = []
    export(run, tmp_path / "engine", Choice(dense=True), precision="fp32")
    export(run, tmp_path / "triton", Choice(dense=True), precision="fp32", layout="triton", say=said.append)
    (model,) = (tmp_path / "triton").iterdir()
    assert model.name == "run-dense"
    assert {"config.pbtxt", "tokenizer", "labels.txt"} <= {path.name for path in model.iterdir()}
    engine = load_engine(tmp_path / "engine", threads=1)
    row = engine.encode(["the soup was not good at all"])[0]
    feed = {name: np.array([values]) for name, values in row.items()}
    feed["attention_mask"] = np.ones_like(feed["input_ids"])
    (logits,) = InferenceSession(model / "1" / "model.onnx").run(["logits"], feed)
    np.testing.assert_allclose(logits, engine.predict(["the soup was not good at all"]), rtol=0, atol=1e-5)


def test_an_unknown_format_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--format 'tensorrt'.*huggingface, triton"):
        export(run, tmp_path / "engine", Choice(dense=True), layout="tensorrt")
    assert not (tmp_path / "engine").exists()
