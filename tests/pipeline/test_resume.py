"""Searches and exports that are killed or interrupted, and go on."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from compresskit.errors import RunError
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.pipeline.training import sub_supernets
from compresskit.runs import RunDirectory
from tests.pipeline.broken import Job, finish, interrupt_at, kill_at


def test_killed_in_training_and_in_search_it_ends_as_an_unbroken_run_does(
    inputs: Path, run: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "run"
    kill_at("dense: step 8 ", Job(broken, inputs))
    kill_at("dense model:", Job(broken))  # trained, and not yet stored in order
    kill_at("supernet-2: step 2 ", Job(broken))
    kill_at("trial 2:", Job(broken))
    assert "dense: step 1 " not in finish(Job(broken))
    ended, unbroken = RunDirectory.open(broken).trials(), RunDirectory.open(run).trials()
    assert [record.trial_id for record in ended] == list(range(6))
    assert [record.architecture for record in ended] == [record.architecture for record in unbroken]
    np.testing.assert_allclose(
        [record.metric or 0 for record in ended], [record.metric or 0 for record in unbroken], atol=1e-9
    )
    signatures = [record["signature"] for record in RunDirectory.open(broken).latencies()]
    assert len(signatures) == len(set(signatures))


@pytest.mark.slow
def test_interrupt_in_each_stage_leaves_a_run_that_goes_on(inputs: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    interrupt_at("dense: step 8 ", Job(broken, inputs))
    interrupt_at("supernet-2: step 2 ", Job(broken))
    interrupt_at("trial 1:", Job(broken))
    before = len(RunDirectory.open(broken).trials())
    assert before >= 2
    assert len(search(None, broken, resume=True).points) >= 1
    assert [record.trial_id for record in RunDirectory.open(broken).trials()] == list(range(6))


def test_a_disk_that_is_full_when_the_super_network_is_stored_costs_no_training(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compresskit.training.progress.SAVE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr("compresskit.training.progress.REPORT_EVERY_SECONDS", 0.0)
    broken = tmp_path / "run"
    shutil.copytree(run, broken)
    shutil.rmtree(broken / "supernet" / "model")

    def refused(*_: object) -> None:
        raise RunError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(sub_supernets, "save_model", refused)
        with pytest.raises(RunError, match="no space left"):
            search(None, broken, resume=True)
    said: list[str] = []
    search(None, broken, resume=True, say=said.append)
    steps = [line for line in said if line.startswith("supernet-1: step")]
    assert len(steps) == 1  # the last one alone
    assert not (broken / "supernet" / "supernet-1").exists()


def test_a_search_that_was_lengthened_stays_so(run: Path, tmp_path: Path) -> None:
    longer = tmp_path / "run"
    shutil.copytree(run, longer)
    search(None, longer, resume=True, changes={"trials": 7})
    assert RunDirectory.open(longer).settings["trials"] == 7
    # What a configuration file holds is a list, of the run a tuple.
    (longer / "pareto.json").unlink()
    search(None, longer, resume=True, changes={"objectives": ["metric", "latency_ms"]})
    assert len(RunDirectory.open(longer).trials()) == 7


def test_interrupt_in_an_export_leaves_no_engine(run: Path, tmp_path: Path) -> None:
    for words in ("point: step", "exporting the graph", "verifying on the test set"):
        interrupt_at(words, Job(run, engine=tmp_path / "engine"))
        assert list(tmp_path.iterdir()) == []
    assert export(run, tmp_path / "engine", pareto_idx=0).num_params > 0
