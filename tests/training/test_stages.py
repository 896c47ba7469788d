from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compresskit.supernet.network import SuperNetwork
from compresskit.tasks.base import TaskKind
from compresskit.tasks.regression import Regression
from compresskit.training import recipe as recipes
from compresskit.training.losses import consistency_loss
from compresskit.training.recipe import Recipe
from compresskit.training.stages import (
    LEAST_CONSISTENT,
    Stage,
    batch_loss,
    dense_strategy,
    quick_score,
    sample_batches,
    score,
)
from compresskit.training.strategies import Consistent, Standard
from compresskit.training.trainer import SuperNetTrainer
from tests.training.make import make_model, make_task

CLASSES = make_task().kind


def test_loss_of_a_batch_is_the_cross_entropy_of_its_labels() -> None:
    model = make_model().eval()
    batches = sample_batches(make_task(20), batch_size=8, seed=3)
    assert [len(batch["labels"]) for batch in batches] == [8, 8, 4]
    for batch in batches:
        with torch.no_grad():
            found = batch_loss(make_task().kind)(model, batch)
            output = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
        logits = output.logits.double().numpy()
        likely = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        wanted = -np.log(likely[np.arange(len(likely)), batch["labels"].numpy()]).mean()
        assert float(found) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("fast", [True, False])
def test_a_quick_score_is_in_bf16_where_the_machine_is_fast_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    monkeypatch.setattr(recipes, "has_fast_bf16", lambda: fast)
    supernet, seen = SuperNetwork(make_model()), []
    head = supernet.model.get_submodule("classifier")
    head.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    stage = Stage(make_task(), tmp_path)
    quick = quick_score(supernet, stage)
    assert set(seen) == {torch.bfloat16 if fast else torch.float32}
    exact = score(supernet, stage, stage.task.search)
    assert seen[-1] == torch.float32
    assert quick == pytest.approx(exact, abs=0.02 if fast else 0)


def test_a_model_is_passed_twice_where_it_has_dropout_and_the_steps_are_many() -> None:
    def chosen(dropout: float, steps: int, *, kind: TaskKind = CLASSES) -> str:
        return dense_strategy(make_model(dropout=dropout), replace(make_task(), kind=kind), steps).name

    assert chosen(0.1, LEAST_CONSISTENT) == "consistent"
    assert chosen(0.1, LEAST_CONSISTENT - 1) == "standard"
    assert chosen(0.1, LEAST_CONSISTENT, kind=Regression((), "pearson")) == "standard"
    assert chosen(0.0, LEAST_CONSISTENT) == "standard"


def test_two_passes_that_do_not_differ_train_like_one(tmp_path: Path) -> None:
    recipe, task = Recipe(epochs=1, learning_rate=1e-3, batch_size=16), make_task()
    found = []
    for kind in (Standard, Consistent):
        supernet = SuperNetwork(make_model(dropout=0.0))
        strategy = kind(supernet.full, supernet.full, lambda *_, network=supernet: network.full)
        SuperNetTrainer(supernet, strategy, recipe, task, tmp_path / kind.name).run()
        found.append(supernet.state_dict())
    for name, value in found[0].items():
        torch.testing.assert_close(found[1][name], value, rtol=0, atol=2e-4, msg=name)


def test_two_passes_agree_more_after_training_for_it(tmp_path: Path) -> None:
    apart = []
    for kind in (Standard, Consistent):
        supernet, task = SuperNetwork(make_model(dropout=0.3)), make_task(rows=256)
        strategy = kind(supernet.full, supernet.full, lambda *_, network=supernet: network.full)
        recipe = Recipe(epochs=6, learning_rate=1e-3, batch_size=32)
        SuperNetTrainer(supernet, strategy, recipe, task, tmp_path / kind.name).run()
        supernet.train()
        torch.manual_seed(0)
        (batch,) = sample_batches(replace(task, train=task.validation), batch_size=32, seed=0)
        with torch.no_grad():
            output = supernet(**{name: torch.cat([rows] * 2) for name, rows in batch.items()})
        apart.append(float(consistency_loss(output.logits, regression=False)))
    assert apart[1] < 0.75 * apart[0]
