from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from compresskit.blocks import INPUTS, NO_LASSO, OUTPUTS, PLAIN, REWEIGHTED, Partition
from compresskit.display import Lines
from compresskit.pruning.block.groups import group_norms
from compresskit.pruning.block.matrices import GroupSetting, partitions_of
from compresskit.pruning.block.stages import Lasso, prune, retrain, train_with_lasso
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.surgery import blueprint_of
from compresskit.training import recipe
from compresskit.training.recipe import Recipe
from compresskit.training.stages import Stage, score
from tests.training.make import make_model, make_task

SETTING = {
    "qkv": GroupSetting(Partition(OUTPUTS, 2), 2.0),
    "out": GroupSetting(Partition(OUTPUTS, 2), 2.0),
    "up": GroupSetting(Partition(INPUTS, 2), 2.0),
    "down": GroupSetting(Partition(OUTPUTS, 2), 2.0),
}
RECIPE = Recipe(epochs=4, learning_rate=2e-3, batch_size=16, weight_decay=0.1)


@pytest.fixture(autouse=True)
def float32(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(recipe, "has_fast_bf16", lambda: False)
    yield


def stage_in(folder: Path) -> Stage:
    return Stage(make_task(64), folder)


def all_norms(model: nn.Module) -> torch.Tensor:
    partitions = partitions_of(blueprint_of(model), SETTING)
    with torch.no_grad():
        return torch.cat(
            [
                group_norms(model.get_parameter(f"{module}.weight"), partition).flatten()
                for module, partition in partitions.items()
            ]
        )


@pytest.mark.parametrize("kind", [REWEIGHTED, PLAIN])
def test_the_penalty_drives_groups_to_zero_and_gamma_changes(tmp_path: Path, kind: str) -> None:
    model = make_model()
    partitions = partitions_of(blueprint_of(model), SETTING)
    recipe = replace(RECIPE, learning_rate=1e-2)
    free, held = copy.deepcopy(model), copy.deepcopy(model)
    train_with_lasso(free, partitions, Lasso(kind, 1e-9), stage_in(tmp_path / "free"), recipe)
    penalty = train_with_lasso(held, partitions, Lasso(kind, 1e-1), stage_in(tmp_path / "held"), recipe)
    assert penalty is not None
    assert penalty.refreshed_at == [0, 4, 8, 12]  # of 16 steps
    assert all_norms(held).quantile(0.25) < 0.5 * all_norms(free).quantile(0.25)


def test_without_lasso_the_model_stays_as_it_is(tmp_path: Path) -> None:
    model = make_model()
    before = copy.deepcopy(model.state_dict())
    assert train_with_lasso(model, {}, Lasso(NO_LASSO), stage_in(tmp_path), RECIPE) is None
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("is_taught", [True, False])
def test_pruned_groups_stay_zero_under_momentum_and_decay(tmp_path: Path, is_taught: bool) -> None:
    model = make_model()
    teacher = copy.deepcopy(model) if is_taught else None
    pruned = prune(model, SETTING)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    seen = []

    def look(_: str) -> None:  # while training, not only at its end
        seen.append(
            max(
                float(model.get_parameter(n).detach()[~m].abs().max())
                for n, m in pruned.masks.items()
                if not m.all()
            )
        )

    stage = stage_in(tmp_path)
    retrain(model, pruned, Stage(stage.task, tmp_path, Lines(look)), RECIPE, teacher=teacher)
    for name, mask in pruned.masks.items():
        value = model.get_parameter(name).detach()
        assert not value[~mask].any()
        assert not torch.equal(value[mask], before[name][mask])
    assert seen and max(seen) == 0.0


def test_retraining_learns(tmp_path: Path) -> None:
    model = make_model()
    stage = stage_in(tmp_path)
    pruned = prune(model, SETTING)
    untrained = score(SuperNetwork(model), stage, stage.task.train)
    retrain(model, pruned, stage, Recipe(epochs=30, learning_rate=5e-3, batch_size=16))
    assert score(SuperNetwork(model), stage, stage.task.train) > max(untrained, 0.7)
