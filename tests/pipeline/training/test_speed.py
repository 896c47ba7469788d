"""How fast training is, measured on copies: nothing of the search itself may change by it."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from transformers import set_seed

from compresskit.pipeline.training import speed as module
from compresskit.pipeline.training.speed import TrainingSpeed, speed_of
from compresskit.supernet.network import SuperNetwork
from compresskit.training.recipe import Recipe
from compresskit.training.strategies import FrozenTeacher, Standard
from tests.training.make import make_model, make_task


def test_model_and_draws_stay_as_they_are() -> None:
    supernet = SuperNetwork(make_model())
    before = {name: value.clone() for name, value in supernet.model.state_dict().items()}
    recipe, full = Recipe(epochs=1.0, learning_rate=1e-2, batch_size=8, seed=3), supernet.full
    set_seed(1)
    drawn = random.random(), np.random.rand(), torch.rand(1).item()
    set_seed(1)
    found = speed_of(supernet.model, make_task(), recipe, FrozenTeacher(full, full, lambda *_: full))
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == drawn
    assert found.seconds_a_step > 0 and found.times >= 1
    after = supernet.model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all(value.requires_grad for value in supernet.model.parameters())


def test_times_are_those_of_a_full_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sub-networks that take 3 s a full step, beside fine-tuning that takes 2 s."""
    seconds = {"standard": 2.0, "teacher": 3.0}
    monkeypatch.setattr(module, "_seconds_a_full_step", lambda *given: seconds[given[3].name])
    supernet, recipe = SuperNetwork(make_model()), Recipe(epochs=1.0, learning_rate=1e-2)
    full = supernet.full
    taught = FrozenTeacher(full, full, lambda *_: full)
    assert speed_of(supernet.model, make_task(), recipe, taught) == TrainingSpeed(2.0, 1.5)
    assert speed_of(supernet.model, make_task(), recipe, Standard(full, full, lambda *_: full)).times == 1.0
    assert speed_of(supernet.model, make_task(), recipe, None) == TrainingSpeed(2.0)
