from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import TrainerCallback

from benchmarks.recipe.averaging import WeightAverage
from compresskit.supernet.network import SuperNetwork
from compresskit.training.recipe import Recipe
from compresskit.training.trainer import SuperNetTrainer
from tests.training.make import make_model, make_task, make_trainer
from tests.training.test_trainer import StopAt, StoppedError

RECIPE = Recipe(epochs=3, learning_rate=1e-3, batch_size=8)
DECAY = 0.8


class Watch(TrainerCallback):  # type: ignore[misc]
    """Keeps one parameter as it was after each step."""

    def __init__(self, value: torch.Tensor) -> None:
        self.value = value
        self.seen = [value.detach().clone()]

    def on_step_end(self, args, state, control, **kwargs):  # type: ignore[no-untyped-def]
        self.seen.append(self.value.detach().clone())


def make(folder: Path, seed: int = 0) -> tuple[SuperNetwork, SuperNetTrainer]:
    supernet = SuperNetwork(make_model(seed=seed))
    return supernet, make_trainer("teacher", folder, supernet, make_task(), RECIPE)


def test_ends_with_the_moving_average(tmp_path: Path) -> None:
    supernet, trainer = make(tmp_path)
    value = supernet.model.get_parameter("classifier.weight")
    watch = Watch(value)
    trainer.add_callback(watch)
    trainer.add_callback(WeightAverage(supernet, DECAY))
    trainer.run()
    mean = watch.seen[0].double()
    for step, found in enumerate(watch.seen[1:], start=1):
        decay = min(DECAY, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * found.double()
    assert len(watch.seen) == 25
    torch.testing.assert_close(value.double(), mean, rtol=0, atol=1e-6)
    assert not torch.allclose(value, watch.seen[-1], rtol=0, atol=1e-5)


def test_resumed_training_ends_where_unbroken_training_does(tmp_path: Path) -> None:
    unbroken, trainer = make(tmp_path / "one")
    trainer.add_callback(WeightAverage(unbroken, DECAY))
    trainer.run()
    broken, trainer = make(tmp_path / "two")
    trainer.add_callback(WeightAverage(broken, DECAY))
    trainer.add_callback(StopAt(save=11, stop=14))
    with pytest.raises(StoppedError):
        trainer.run()
    resumed, trainer = make(tmp_path / "two", seed=9)
    trainer.add_callback(WeightAverage(resumed, DECAY))
    trainer.run(resume=True)
    for key, value in unbroken.state_dict().items():
        # Biases of keys have no gradient but rounding, which Adam brings to the size of a step.
        torch.testing.assert_close(resumed.state_dict()[key], value, rtol=0, atol=1e-4)
