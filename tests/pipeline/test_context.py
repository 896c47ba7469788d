from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from compresskit.display import Lines
from compresskit.pipeline.context import Context
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.importance import save_scores
from compresskit.runs import RunDirectory
from compresskit.runs.jsonl import append_record
from compresskit.spaces import RankedSpace
from compresskit.supernet.importance import Importance
from tests.contracts.space import DIMS
from tests.training.make import PAD, make_task


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", {})


def context_of(run: RunDirectory, said: list[str]) -> Context:
    inputs: Any = SimpleNamespace(
        task=make_task(), checkpoint=SimpleNamespace(pad_id=PAD), space=RankedSpace(DIMS)
    )
    settings = SearchSettings("model", "data", "profile")
    return Context.of(run, settings, inputs, Lines(said.append), resume=False)


def test_the_space_is_what_the_run_has_learnt_of_it(run: RunDirectory) -> None:
    context = context_of(run, [])
    assert context.space is context.inputs.space
    scores = Importance(
        torch.rand(DIMS.num_layers, DIMS.num_heads), torch.rand(DIMS.num_layers, DIMS.num_units)
    )
    save_scores(run.supernet, scores.sorted())
    space = context.space
    assert isinstance(space, RankedSpace)
    assert space.ranking.heads[0] == scores.heads.flatten().argmax().item() // DIMS.num_heads


def test_a_training_that_is_stored_leaves_its_cost_and_no_checkpoints(run: RunDirectory) -> None:
    context = context_of(run, [])
    (run.supernet / "dense").mkdir(parents=True)
    append_record(run.supernet / "progress.jsonl", {"stage": "dense", "step": 8, "full_steps": 8.0})
    context.trained("dense")
    assert not (run.supernet / "dense").exists()
    assert run.info["full_steps"] == {"dense": 8.0}


def test_of_several_processes_the_first_alone_writes_and_speaks(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    for rank, told in (("1", []), ("0", ["hello"])):
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setenv("RANK", rank)
        context = context_of(run, said)
        context.display("hello")
        context.run.update(status=f"process {rank}")
        assert said == told
    assert RunDirectory.open(run.path).info["status"] == "process 0"
    assert run.info["status"] == "process 0"
