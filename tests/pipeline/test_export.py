"""What export makes of a point."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compresskit.architecture import Architecture
from compresskit.bundle.loader import load_engine
from compresskit.engine.count import count_macs, count_params
from compresskit.errors import ConfigurationError, EngineError
from compresskit.pipeline.export import export
from compresskit.pipeline.training.models import load_model
from compresskit.pruning.reload import load_pruned
from compresskit.runs import RunDirectory


def test_exported_point_is_the_architecture_it_says(run: Path, tmp_path: Path) -> None:
    import onnx

    point = RunDirectory.open(run).front().points[0]
    manifest = export(run, tmp_path / "engine", pareto_idx=0)
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
    plain = export(run, tmp_path / "plain", trial=1)
    tuned = export(run, tmp_path / "tuned", trial=1, finetune_epochs=1)
    assert tuned.signature == plain.signature
    assert tuned.files["onnx/model.onnx"] != plain.files["onnx/model.onnx"]
    assert tuned.lineage["finetune_epochs"] == 1


def test_dense_is_the_fine_tuned_model(run: Path, tmp_path: Path) -> None:
    manifest = export(run, tmp_path / "dense", dense=True)
    assert manifest.signature == "4x64,4x64,4x64"
    exported = load_pruned(tmp_path / "dense").state_dict()
    dense = load_model(run / "supernet" / "dense_model").state_dict()
    assert exported.keys() == dense.keys()
    assert all(torch.equal(exported[name], value) for name, value in dense.items())


def test_triton_repository_answers_as_the_engine_does(run: Path, tmp_path: Path) -> None:
    from onnxruntime import InferenceSession

    said: list[str] = []
    export(run, tmp_path / "engine", dense=True, precision="fp32")
    export(run, tmp_path / "triton", dense=True, precision="fp32", format="triton", say=said.append)
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
        export(run, tmp_path / "engine", dense=True, format="tensorrt")
    assert not (tmp_path / "engine").exists()


@pytest.mark.parametrize(
    ("found", "limits", "lowest"),
    [
        ("first-token-packed-attention", {"runtime": ">=1.20"}, ["1.18.0"]),
        ("first-token-packed-fused-norms", {"portable": True, "runtime": "1.22.1"}, ["1.18.0"]),
    ],
)
def test_an_engine_keeps_to_the_runtime_that_must_run_it(
    run: Path, tmp_path: Path, found: str, limits: dict[str, Any], lowest: list[str]
) -> None:
    shutil.copytree(run, tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "variant": found}))
    said: list[str] = []
    manifest = export(
        tmp_path / "run", tmp_path / "engine", dense=True, **limits, precision="fp32", say=said.append
    )
    assert any(f"not the run's graph variant {found}" in each for each in said)
    assert manifest.variant != found
    assert manifest.runtime["onnxruntime"] in lowest
    assert not (limits.get("portable") and manifest.runtime["other_domains"])
    assert load_engine(tmp_path / "engine").manifest.runtime == manifest.runtime
    assert f"| ONNX Runtime | {manifest.runtime['onnxruntime']} or later |" in (
        tmp_path / "engine" / "README.md"
    ).read_text(encoding="utf-8")


def test_a_runtime_in_which_nothing_is_proven_is_refused_first(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--runtime is '>=1.16'"):
        export(run, tmp_path / "engine", dense=True, runtime=">=1.16")
    assert not (tmp_path / "engine").exists()


def test_the_metric_is_that_of_raw_texts_through_the_loader(run: Path, inputs: Path, tmp_path: Path) -> None:
    manifest = export(run, tmp_path / "engine", dense=True)
    assert manifest.test_metric is not None
    found = bench_score(tmp_path / "engine", inputs / "data")
    assert found == pytest.approx(manifest.test_metric, abs=1e-9)
    settings = json.loads((tmp_path / "engine" / "tokenizer_config.json").read_text())
    assert settings["model_max_length"] == 16


def bench_score(engine: Path, data: Path) -> float:
    from compresskit.bundle import read_manifest
    from compresskit.pipeline.benching.data import read_for
    from compresskit.pipeline.benching.score import score_engine
    from compresskit.target.profile import load_profile
    from compresskit.tasks.examples import DataOptions

    manifest = read_manifest(engine)
    (rows,) = read_for([manifest.kind], data, DataOptions()).of
    assert rows is not None
    return score_engine(engine, manifest, rows, load_profile("cpu-1-thread")).metric


def test_an_engine_that_reads_texts_otherwise_is_not_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"truncation_side": "left"}
    monkeypatch.setattr("compresskit.bundle.encoding.tokenizer_settings", lambda _: other)
    with pytest.raises(EngineError, match=r"would encode .* differently from training: input_ids"):
        export(run, tmp_path / "engine", dense=True)
    assert not (tmp_path / "engine").exists()
    assert list(tmp_path.iterdir()) == []
