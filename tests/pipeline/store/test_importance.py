"""The order of importance that a run keeps, and the space that it shapes."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from compresskit.pipeline.search import search
from compresskit.pipeline.store.importance import informed, save_scores
from compresskit.runs import RunDirectory
from compresskit.spaces import RankedSpace, SmallSpace
from compresskit.supernet.importance import Importance
from tests.contracts.space import DIMS
from tests.pipeline.make import settings_for

SCORES = Importance(torch.rand(DIMS.num_layers, DIMS.num_heads), torch.rand(DIMS.num_layers, DIMS.num_units))


def test_a_space_that_is_ranked_takes_the_scores(tmp_path: Path) -> None:
    save_scores(tmp_path / "supernet", SCORES.sorted())
    space = informed(RankedSpace(DIMS), tmp_path / "supernet")
    assert isinstance(space, RankedSpace)
    best = SCORES.heads.flatten().argmax().item() // DIMS.num_heads
    assert space.ranking.heads[0] == best
    small = SmallSpace(DIMS)
    assert informed(small, tmp_path / "supernet") is small


def test_without_scores_layers_take_turns(tmp_path: Path) -> None:
    save_scores(tmp_path / "supernet", None)
    space = RankedSpace(DIMS)
    assert informed(space, tmp_path / "supernet") is space


class TestSearch:
    def test_resumed_and_begun_anew_it_has_the_same_space(self, inputs: Path, tmp_path: Path) -> None:
        asked = settings_for(inputs, space="ranked", searcher="random", trials=4, seed=3)
        search(asked, tmp_path / "run")
        tried = [record.candidate for record in RunDirectory.open(tmp_path / "run").trials()]
        shutil.copytree(tmp_path / "run", tmp_path / "again")
        search(None, tmp_path / "again", resume=True, changes={"trials": 6})
        found = RunDirectory.open(tmp_path / "again")
        assert [record.candidate for record in found.trials()][:4] == tried

        changes = {"trials": 6, "profile": asked.profile}
        search(None, tmp_path / "from", start_from=tmp_path / "run", changes=changes)
        other = RunDirectory.open(tmp_path / "from")
        assert [each.candidate for each in other.trials()] == [each.candidate for each in found.trials()]
