"""Test figures of exported points: what the engine, its card and the run say of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from compresskit.architecture import Candidate
from compresskit.errors import RunError
from compresskit.pipeline.export import export
from compresskit.pipeline.exporting import on_test
from compresskit.pipeline.exporting.on_test import ANSWERS_FILE, changes_of
from compresskit.report import write_report
from compresskit.runs import RunDirectory
from compresskit.runs.tested import TESTS, read_tested
from compresskit.supernet.scoring import predict
from tests.report.runs import FULL


@pytest.fixture
def mine(run: Path, tmp_path: Path) -> Path:
    copied = shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(copied / TESTS, ignore_errors=True)
    return copied


def test_engine_card_and_run_have_them_and_dense_is_asked_once(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counted(*args: Any, **kwargs: Any) -> Any:
        asked.append(1)
        return predict(*args, **kwargs)

    monkeypatch.setattr(on_test, "predict", counted)
    said: list[str] = []
    (mine / TESTS).mkdir()
    save_file({"answers": np.zeros(3, dtype=np.int64)}, mine / TESTS / ANSWERS_FILE)  # of other rows
    manifest = export(mine, tmp_path / "first", pareto_idx=0, say=said.append)
    point, dense = RunDirectory.open(mine).front().points[0].test, read_tested(mine)[None]
    assert point is not None
    assert (point.metric, point.rows, point.by) == (manifest.test_metric, dense.rows, "ONNX Runtime")
    assert (point.dense_metric, dense.by) == (dense.metric, "PyTorch")
    assert point.difference_ci is not None
    assert point.difference_ci[0] <= point.metric - dense.metric <= point.difference_ci[1]
    assert dict(manifest.test) == point.in_manifest()
    card = (tmp_path / "first" / "README.md").read_text()
    assert f"interval {point.metric_ci[0]:.4f} to {point.metric_ci[1]:.4f}, {point.rows} rows)" in card
    assert f"dense model {dense.metric:.4f}, difference" in card
    assert f"dense model on the test set, once: {dense.rows} rows" in said

    other = next(
        each.trial_id for each in RunDirectory.open(mine).trials() if each.trial_id != point.trial_id
    )
    export(mine, tmp_path / "second", trial=other, finetune_epochs=0.1)
    assert len(asked) == 1
    tuned = read_tested(mine)[other]
    assert (tuned.changed, tuned.dense_metric) == ("0.1 epochs", dense.metric)

    whole = export(mine, tmp_path / "dense", dense=True)
    assert len(asked) == 1
    exported = read_tested(mine)[None]
    assert (exported.by, exported.metric) == ("ONNX Runtime", whole.test_metric)
    assert exported.difference_ci is None and "dense_metric" not in whole.test
    shown = write_report(mine, tmp_path / "r.md").read_text()
    assert f"| test, {dense.rows} rows | test against dense |" in shown


def test_the_dense_model_comes_first_as_well(mine: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(on_test, "predict", None)  # is not asked in PyTorch
    whole = export(mine, tmp_path / "dense", dense=True)
    manifest = export(mine, tmp_path / "point", pareto_idx=0)
    assert manifest.test["dense_metric"] == whole.test_metric


def test_a_run_that_cannot_be_written_does_not_stop_an_export(mine: Path, tmp_path: Path) -> None:
    (mine / TESTS).write_text("a file is in the way")
    said: list[str] = []
    manifest = export(mine, tmp_path / "engine", pareto_idx=0, say=said.append)
    assert "difference_ci" in manifest.test
    assert json.loads((tmp_path / "engine" / "compresskit.json").read_text())["test"] == manifest.test
    assert any("the run does not keep the test figures" in line for line in said)
    assert any("the run does not keep the dense model's answers" in line for line in said)


@pytest.mark.parametrize("damaged", [b"", b"\0" * 100])
def test_damaged_answers_are_told_before_anything_is_computed(
    mine: Path, tmp_path: Path, damaged: bytes
) -> None:
    (mine / TESTS).mkdir()
    (mine / TESTS / ANSWERS_FILE).write_bytes(damaged)
    said: list[str] = []
    with pytest.raises(RunError, match=rf"{ANSWERS_FILE} is damaged: .*Remove it\."):
        export(mine, tmp_path / "engine", pareto_idx=0, say=said.append)
    assert said == ["reading model and data"]


def test_in_what_an_engine_differs_from_its_point() -> None:
    plain: Any = SimpleNamespace(precision="fp32", float_layers=())
    other: Any = SimpleNamespace(precision="int8", float_layers=("a", "b"))
    candidate = Candidate(FULL)
    assert changes_of(candidate, plain, "fp32", False, 0.0, None) == ""
    assert changes_of(candidate, other, "int8", True, 2.0, 128) == (
        "int8, 2 layers in float, int8 embeddings, trimmed vocabulary, 2 epochs, 128 numbers"
    )
