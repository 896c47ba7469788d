"""Method block on a small model: search, resume, export."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compresskit.architecture import BLOCKS_MARK, Architecture
from compresskit.blocks import BlockPlan
from compresskit.engine.block_choice import BlockChooser
from compresskit.engine.verify import torch_logits
from compresskit.errors import ConfigurationError, SearchError
from compresskit.kept import Kept
from compresskit.methods.base import MethodContext
from compresskit.methods.block import distilled_rate
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.pipeline.store.trial_weights import read_point
from compresskit.pipeline.training.models import load_model
from compresskit.pruning.block.linear import BlockLinear
from compresskit.pruning.block.pruned import masks_of
from compresskit.pruning.reload import load_pruned
from compresskit.runs import RunDirectory
from compresskit.supernet.surgery import blueprint_of
from tests.engine.models import make_rows
from tests.pipeline.make import make_inputs, settings_for

ASKED: dict[str, Any] = {"method": "block", "trials": 4, "block_counts": (2,), "lasso_strength": 0.1}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder, rows=120)
    return folder


@pytest.fixture(scope="module")
def run(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On matrices of this size no block is faster: the device is taken for one on which all are."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BlockChooser, "gain", lambda self, matrix: 2.0)
        search(settings_for(inputs, **ASKED), folder)
    return folder


def test_points_have_blocks_and_weights_of_their_own(run: Path) -> None:
    records = RunDirectory.open(run).trials()
    assert [record.status for record in records] == ["completed"] * 4
    dense, *others = records
    assert dense.blocks is None and dense.config == {}
    for record in others:
        candidate = record.candidate
        assert candidate.blocks is not None and BLOCKS_MARK in record.signature
        assert record.num_params is not None and dense.num_params is not None
        assert record.num_params < dense.num_params
        assert record.macs is not None and dense.macs is not None and record.macs < dense.macs
        assert record.size_bytes is not None and dense.size_bytes is not None
        # what the file saves is what was pruned, but for names of more nodes and indices
        saved = dense.size_bytes - record.size_bytes
        assert saved == pytest.approx(4 * (dense.num_params - record.num_params), abs=60_000)
    rates = [record.config["up"]["rate"] for record in others if record.config]
    assert rates == [2.0, 3.0, 5.0]
    params = [record.num_params or 0 for record in others]
    assert params == sorted(params, reverse=True)


def test_pruned_groups_are_zero_in_the_stored_weights(run: Path) -> None:
    record = RunDirectory.open(run).trials()[1]
    assert record.weights is not None
    candidate, model = read_point(run, record.weights)
    assert candidate == record.candidate and candidate.blocks is not None
    for name, mask in masks_of(candidate.blocks, candidate.architecture, blueprint_of(model)).items():
        weight = model.get_parameter(name).detach()
        assert not weight[~mask].any() and weight[mask].any()


def test_gamma_was_renewed_and_products_were_timed(run: Path) -> None:
    info = RunDirectory.open(run).info
    assert info["status"] == "completed"
    lines = (run / "supernet" / "progress.jsonl").read_text().splitlines()
    stages = {json.loads(line)["stage"] for line in lines}
    assert {"lasso", "point-1", "point-2", "point-3"} <= stages
    assert {"lasso", "point-1"} <= set(info["full_steps"])


def test_the_engine_holds_blocks_alone(run: Path, tmp_path: Path) -> None:
    manifest = export(run, tmp_path / "engine", trial=3, finetune_epochs=1.0)
    blocks = manifest.blocks
    plan = BlockPlan.from_json(blocks["matrices"])
    assert len(plan) and blocks["rate"] == pytest.approx(5.0, rel=0.15)
    assert plan.num_params <= blocks["num_params"] <= 1.05 * plan.num_params
    assert blocks["index_bytes"] <= plan.index_bytes + 4 * 32 * len(plan)
    assert manifest.signature == RunDirectory.open(run).trials()[3].signature
    model = load_pruned(tmp_path / "engine")
    assert sum(isinstance(module, BlockLinear) for module in model.modules()) == len(plan)
    assert sum(value.numel() for value in model.parameters()) == pytest.approx(manifest.num_params, rel=0.01)
    rows = [{name: [i % 30 for i in ids] for name, ids in row.items()} for row in make_rows((7, 5))]
    assert np.isfinite(torch_logits(model, rows)).all()


def test_a_run_that_was_cut_off_goes_on(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BlockChooser, "gain", lambda self, matrix: 2.0)
    calls = []
    append = RunDirectory.append_trial

    def stop_at_the_third(self: RunDirectory, record: Any) -> None:
        calls.append(record.trial_id)
        if len(calls) == 3:
            raise KeyboardInterrupt
        append(self, record)

    monkeypatch.setattr(RunDirectory, "append_trial", stop_at_the_third)
    gone_on_from = []
    point = MethodContext.point

    def remember(self: MethodContext, trial_id: int) -> Any:
        gone_on_from.append(trial_id)
        return point(self, trial_id)

    monkeypatch.setattr(MethodContext, "point", remember)
    asked = {**ASKED, "lasso": "none", "distil": False}
    with pytest.raises(KeyboardInterrupt):
        search(settings_for(inputs, **asked), tmp_path / "run")
    weights = (tmp_path / "run" / "points" / "2" / "model.safetensors").read_bytes()
    front = search(None, tmp_path / "run", resume=True)
    assert calls == [0, 1, 2, 2, 3]
    assert gone_on_from == [1, 2]  # rates 2, 3, 5: each from the one before
    assert (tmp_path / "run" / "points" / "2" / "model.safetensors").read_bytes() == weights
    assert len(front.points) >= 1


def test_a_structurally_pruned_point_is_pruned_further(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search(settings_for(inputs, trials=4, epochs=0.2), tmp_path / "nas")
    records = RunDirectory.open(tmp_path / "nas").trials()
    smaller = next(r for r in records if r.architecture != records[0].architecture)
    monkeypatch.setattr(BlockChooser, "gain", lambda self, matrix: 2.0)
    asked = {**ASKED, "trials": 2, "epochs": 0.2, "start_run": str(tmp_path / "nas")}
    search(settings_for(inputs, **asked, start_trial=smaller.trial_id), tmp_path / "run")
    point = RunDirectory.open(tmp_path / "run").trials()[1]
    start = smaller.candidate.architecture
    for before, after in zip(start.layers, point.candidate.architecture.layers, strict=True):
        assert not after.heads.mask & ~before.heads.mask
        assert after.units.count <= before.units.count
    assert point.num_params is not None and smaller.num_params is not None
    assert point.num_params < smaller.num_params
    manifest = export(tmp_path / "run", tmp_path / "engine", trial=1)
    assert manifest.blocks["num_params"] < manifest.num_params
    for trial in (99, None):
        with pytest.raises(ConfigurationError, match="--start-trial names .*permitted: 0, 1"):
            search(settings_for(inputs, **asked, start_trial=trial), tmp_path / "other")
    write_info(tmp_path / "nas", num_layers=2)
    with pytest.raises(ConfigurationError, match="a run of another model"):
        search(settings_for(inputs, **asked, start_trial=0), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def write_info(run: Path, **sizes: int) -> None:
    """Say that the model of `run` had other sizes."""
    info = json.loads((run / "run.json").read_text())
    info["blueprint"]["dims"] |= sizes
    (run / "run.json").write_text(json.dumps(info))


def test_units_of_a_start_stay_though_pruning_puts_them_in_another_order(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first half of the units is gone at the start; later points must not take them for the kept."""
    search(settings_for(inputs, trials=1, epochs=0.1), tmp_path / "nas")
    source = RunDirectory.open(tmp_path / "nas")
    full = source.trials()[0].candidate.architecture
    later = tuple(replace(layer, units=Kept(64, (1 << 64) - (1 << 32))) for layer in full.layers)
    record = replace(source.trials()[0], architecture=Architecture(later).to_json())
    (tmp_path / "nas" / "trials.jsonl").write_text(json.dumps(record.to_json()) + "\n")
    monkeypatch.setattr(BlockChooser, "gain", lambda self, matrix: 2.0)
    asked = {**ASKED, "epochs": 0.1, "lasso": "none", "trials": 3, "start_run": str(tmp_path / "nas")}
    search(settings_for(inputs, **asked, start_trial=0), tmp_path / "run")
    model = load_model(tmp_path / "nas" / "supernet" / "model")
    names = [f"bert.encoder.layer.{i}.output.dense.weight" for i in range(3)]
    for trial in (1, 2):
        _, pruned = read_point(tmp_path / "run", f"points/{trial}")
        for name in names:
            assert pruned.get_parameter(name).norm() > 0.2 * model.get_parameter(name).norm()


def test_where_nothing_gains_it_says_so(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BlockChooser, "gain", lambda self, matrix: 0.9)
    with pytest.raises(SearchError, match="block structure does not pay"):
        search(settings_for(inputs, **{**ASKED, "epochs": 0.1}), tmp_path / "run")


@pytest.mark.parametrize(
    "wrong",
    [{"lasso": "ridge"}, {"block_axis": "rows"}, {"block_scope": "layer"}, {"block_counts": (0,)}],
)
def test_bad_settings_are_refused(inputs: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="permitted"):
        settings_for(inputs, method="block", **wrong)


def test_on_large_data_the_rate_is_half() -> None:
    assert distilled_rate(9_999) == 2 * distilled_rate(10_000)
