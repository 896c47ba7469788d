"""Standard NAS, whole and interrupted."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compresskit.architecture import Architecture
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.trial_weights import read_point
from compresskit.pipeline.training.budget import full_step_budget
from compresskit.runs import RunDirectory
from compresskit.runs.jsonl import read_records
from tests.pipeline.broken import Job, finish, kill_at
from tests.pipeline.make import make_inputs, settings_for

# By MACs, not by latency: which trials end early must not hang on how busy the machine is.
ASKED: dict[str, Any] = {
    "method": "standard-nas", "epochs": 3.0, "trials": 5, "objectives": ("metric", "macs"),
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder, rows=120)
    return folder


def ask(inputs: Path) -> SearchSettings:
    return settings_for(inputs, **ASKED)


@pytest.fixture(scope="module")
def run(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    search(ask(inputs), folder)
    return folder


@pytest.fixture
def ample(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with twice the training: what `nas` costs pays for three trials, too few for one to end early."""
    monkeypatch.setattr(
        "compresskit.pipeline.search.full_step_budget", lambda *asked: 2 * full_step_budget(*asked)
    )
    search(ask(inputs), tmp_path / "run")
    return tmp_path / "run"


def test_each_trial_has_weights_of_its_own(run: Path) -> None:
    found = RunDirectory.open(run)
    records = found.trials()
    assert [record.weights for record in records] == [f"points/{i}" for i in range(len(records))]
    heads = [dict(read_point(run, record.weights or "")[1].named_parameters()) for record in records]
    for i, one in enumerate(heads):
        for other in heads[i + 1 :]:
            assert not torch.equal(one["classifier.weight"], other["classifier.weight"])


def test_rungs_are_epochs_and_some_trials_end_early(ample: Path) -> None:
    rungs, _ = read_records(ample / "rungs.jsonl")
    reached = {rung["trial_id"]: rung["epochs"] for rung in rungs}
    assert reached[0] == 3
    assert min(reached.values()) < 3
    assert [rung["epochs"] for rung in rungs if rung["trial_id"] == 0] == [1, 2, 3]
    for record in RunDirectory.open(ample).trials():
        costs = [rung["costs"] for rung in rungs if rung["trial_id"] == record.trial_id][-1]
        np.testing.assert_allclose(costs, [1 - (record.metric or 0), record.macs or 0])


def test_what_training_cost_is_counted(run: Path) -> None:
    spent = RunDirectory.open(run).info["full_steps"]
    rungs, _ = read_records(run / "rungs.jsonl")
    epochs = sum(1 for rung in rungs if rung["trial_id"] == 0)
    rows = 120 - 36
    assert spent["trial-0"] == pytest.approx(epochs * -(-rows // 16), rel=0.15)
    assert 0 < spent["trial-1"] < spent["trial-0"]


def test_the_compute_that_nas_needs_is_the_limit(inputs: Path, tmp_path: Path) -> None:
    search(replace(ask(inputs), trials=60), tmp_path / "run")
    found = RunDirectory.open(tmp_path / "run")
    spent = {name: cost for name, cost in found.info["full_steps"].items() if name.startswith("trial-")}
    assert len(found.trials()) < 30
    *before, _ = spent.values()
    assert sum(before) < sum(spent.values())


@pytest.mark.usefixtures("no_prior")
def test_a_drop_counts_from_the_dense_metric_on_the_rows_that_trials_are_scored_on(
    run: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(run, tmp_path / "run")
    with RunDirectory.open(folder, writable=True) as found:
        count = len(found.trials())
        # Every trial is within a point of the second dense metric, none of the first.
        found.update(
            settings={**found.settings, "max_drop": 1.0},
            dense_metric=2.0,
            dense_search_metric=0.0,
            full_steps={},
        )
    said: list[str] = []
    search(None, folder, resume=True, changes={"trials": count + 1}, say=said.append)
    (line,) = [line for line in said if line.startswith(f"trial {count}: ")]
    assert "front of" in line and "none for the front" not in line


@pytest.mark.slow
def test_killed_in_a_trial_it_ends_as_an_unbroken_run_does(inputs: Path, run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    kill_at("trial-0: step 8 ", Job(broken, inputs, ASKED))
    kill_at("trial 1:", Job(broken))
    assert "trial-0: step" not in finish(Job(broken))
    ended, unbroken = RunDirectory.open(broken).trials(), RunDirectory.open(run).trials()
    assert [record.architecture for record in ended] == [record.architecture for record in unbroken]
    np.testing.assert_allclose(
        [record.metric or 0 for record in ended], [record.metric or 0 for record in unbroken], atol=1e-9
    )
    known = [(rung["trial_id"], rung["epochs"]) for rung in read_records(broken / "rungs.jsonl")[0]]
    assert len(known) == len(set(known))


def test_a_point_is_exported_with_its_own_weights(run: Path, tmp_path: Path) -> None:
    point = RunDirectory.open(run).front().points[0]
    manifest = export(run, tmp_path / "engine", pareto_idx=0)
    assert manifest.architecture == point.architecture
    manifest_file = json.loads((tmp_path / "engine" / "compresskit.json").read_text())
    assert Architecture.from_json(manifest_file["architecture"]).signature == point.signature
