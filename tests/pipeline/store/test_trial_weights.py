from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compresskit.architecture import Candidate
from compresskit.errors import RunError
from compresskit.pipeline.store.trial_weights import read_point, save_point, weights_folder, weights_name
from compresskit.pipeline.training.steps_spent import note_full_steps, note_training
from compresskit.runs import RunDirectory
from compresskit.runs.jsonl import append_record
from tests.contracts.family import irregular
from tests.contracts.strategy import DIMS
from tests.training.make import make_model


def test_a_point_comes_back_with_its_candidate(tmp_path: Path) -> None:
    model, candidate = make_model(seed=3), Candidate(irregular())
    name = weights_name(12)
    save_point(tmp_path, name, candidate, model)
    (tmp_path / f"{name}.part").mkdir()  # an earlier attempt that was cut off
    found, loaded = read_point(tmp_path, name)
    assert found == candidate
    for key, value in model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[key], value, rtol=0, atol=0)
    assert weights_folder(tmp_path, name, candidate.architecture, DIMS) == tmp_path / "points" / "12"


def test_half_a_point_is_none(tmp_path: Path) -> None:
    save_point(tmp_path, "points/0", Candidate(irregular()), make_model())
    (tmp_path / "points" / "0" / "candidate.json").write_text("{")
    with pytest.raises(RunError, match=r"candidate.json is damaged.*--resume"):
        read_point(tmp_path, "points/0")


def test_weights_that_are_gone_are_named(tmp_path: Path) -> None:
    for weights, folder in ((None, "supernet/model"), ("points/3", "points/3")):
        with pytest.raises(RunError, match=f"{folder}, which holds a trial's weights, is not there"):
            weights_folder(tmp_path, weights, irregular(), DIMS)


def test_what_stages_cost_is_kept_in_the_run(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run", {})
    run.supernet.mkdir()
    for stage, step, cost in (("dense", 4, 4.0), ("dense", 8, 8.0), ("point-0", 3, 1.5)):
        append_record(run.supernet / "progress.jsonl", {"stage": stage, "step": step, "full_steps": cost})
    note_training(run, "dense")
    note_training(run, "point-0")
    note_training(run, "none")
    note_full_steps(run, "scores", 2.0)
    note_full_steps(run, "scores", 3.0)
    assert RunDirectory.open(run.path).info["full_steps"] == {"dense": 8.0, "point-0": 1.5, "scores": 3.0}
