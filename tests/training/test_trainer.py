from __future__ import annotations

import itertools
import re
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from transformers import TrainerCallback

from compresskit.display import Lines
from compresskit.errors import ConfigurationError
from compresskit.supernet.network import SuperNetwork
from compresskit.training import recipe as recipes
from compresskit.training.batching import LengthSampler
from compresskit.training.losses import Distillation
from compresskit.training.memory import TeacherMemory
from compresskit.training.recipe import Recipe
from compresskit.training.stages import Stage, fine_tune, score
from compresskit.training.strategies import STRATEGIES, FrozenTeacher
from compresskit.training.trainer import SuperNetTrainer
from tests.training.make import make_model, make_task, make_trainer

SLOW_ENOUGH = Recipe(epochs=3, learning_rate=1e-3, batch_size=8)


class StoppedError(Exception):
    pass


class StopAt(TrainerCallback):  # type: ignore[misc]
    """Saves after one step and breaks off after a later one, as a killed process does."""

    def __init__(self, save: int, stop: int) -> None:
        self.save, self.stop = save, stop

    def on_step_end(self, args, state, control, **kwargs):  # type: ignore[no-untyped-def]
        control.should_save = state.global_step == self.save

    def on_step_begin(self, args, state, control, **kwargs):  # type: ignore[no-untyped-def]
        if state.global_step == self.stop:
            raise StoppedError


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_moves_the_weights(tmp_path: Path, name: str) -> None:
    supernet = SuperNetwork(make_model())
    before = {key: value.clone() for key, value in supernet.state_dict().items()}
    recipe = Recipe(epochs=1, learning_rate=1e-3, batch_size=16)
    make_trainer(name, tmp_path, supernet, make_task(), recipe).run()
    after = supernet.state_dict()
    moved = [key for key, value in before.items() if not torch.equal(value, after[key])]
    assert "model.classifier.weight" in moved
    assert all(torch.isfinite(value).all() for value in after.values())


def test_a_teacher_without_hidden_states_is_refused() -> None:
    teacher = SimpleNamespace(
        teacher=lambda **batch: SimpleNamespace(hidden_states=None),
        accelerator=SimpleNamespace(autocast=nullcontext),
    )
    with pytest.raises(ConfigurationError, match="function gives no hidden states"):
        SuperNetTrainer._ask_teacher(cast(Any, teacher), {})


@pytest.mark.parametrize("fast", [True, False])
def test_trains_in_bf16_where_the_machine_is_fast_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    monkeypatch.setattr(recipes, "has_fast_bf16", lambda: fast)
    seen: dict[str, set[torch.dtype]] = {"pupil": set(), "teacher": set()}
    supernet = SuperNetwork(make_model())
    recipe = Recipe(epochs=1, learning_rate=1e-3, batch_size=32)
    trainer = make_trainer("teacher", tmp_path, supernet, make_task(), recipe)
    assert trainer.teacher is not None
    for found, model in zip(seen.values(), (supernet.model, trainer.teacher), strict=True):
        model.get_submodule("classifier").register_forward_hook(
            lambda module, inputs, output, found=found: found.add(output.dtype)
        )
    trainer.run()
    expected = {torch.bfloat16 if fast else torch.float32}
    assert seen == {"pupil": expected, "teacher": expected}
    assert {value.dtype for value in supernet.parameters()} == {torch.float32}


@pytest.mark.parametrize("name", ["teacher", "full"])
def test_resumed_training_ends_where_unbroken_training_does(tmp_path: Path, name: str) -> None:
    def trainer_of(folder: str, supernet: SuperNetwork) -> SuperNetTrainer:
        trainer = make_trainer(name, tmp_path / folder, supernet, make_task(), SLOW_ENOUGH)
        trainer.memory = TeacherMemory(most_bytes=0)  # what it keeps is equal up to rounding: test_memory
        return trainer

    unbroken = SuperNetwork(make_model(dropout=0.1))
    trainer_of("one", unbroken).run()
    broken = trainer_of("two", SuperNetwork(make_model(dropout=0.1)))
    broken.add_callback(StopAt(save=11, stop=14))
    with pytest.raises(StoppedError):
        broken.run()
    resumed = SuperNetwork(make_model(dropout=0.1, seed=9))
    trainer_of("two", resumed).run(resume=True)
    for key, value in unbroken.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], value, rtol=0, atol=1e-6)


@pytest.mark.parametrize("apart", [False, True])
def test_weights_move_once_a_step_or_after_each_of_its_networks(tmp_path: Path, apart: bool) -> None:
    supernet = SuperNetwork(make_model())
    recipe = replace(SLOW_ENOUGH, schedule="constant")  # a first step at a rate of 0 would move nothing
    trainer = make_trainer("teacher", tmp_path, supernet, make_task(), recipe)
    assert isinstance(trainer.strategy, FrozenTeacher)
    assert trainer.strategy.apart
    trainer.strategy = strategy = replace(trainer.strategy, apart=apart, full_every=4)
    seen: list[torch.Tensor] = []
    supernet.model.get_submodule("classifier").register_forward_pre_hook(
        lambda module, _: seen.append(module.weight.detach().clone()) if module.training else None
    )
    trainer.run()
    moved = sum(not torch.equal(*pair) for pair in itertools.pairwise(seen))
    steps = trainer.state.max_steps
    assert len(seen) == 2 * steps + -(-steps // strategy.full_every)  # two random ones, and the full one
    assert moved == (len(seen) if apart else steps) - 1


def test_fine_tuning_learns_the_task(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, task = make_model(), make_task(rows=512)
    said: list[str] = []
    stage = Stage(task, tmp_path, Lines(said.append))
    before = score(SuperNetwork(model), stage, task.test)
    fine_tune(model, stage, Recipe(epochs=8, learning_rate=3e-3, batch_size=32))
    assert score(SuperNetwork(model), stage, task.test) > max(before, 0.8)
    assert said[0] == "training dense: 128 steps"
    assert (tmp_path / "progress.jsonl").read_text().count("\n") == len(said[1:])
    assert re.fullmatch(
        r"dense: step 128 of 128 \(100%\), loss \d\.\d{3}, metric \d\.\d{4}, 0 s left", said[-1]
    )


def test_a_fading_teacher_has_the_whole_weight_first_and_none_at_the_end(tmp_path: Path) -> None:
    losses = []
    for fading in (False, True):
        asked = Distillation(labels=0.0, hidden=0.0, fading=fading)
        recipe = Recipe(epochs=2, learning_rate=1e-12, batch_size=16, distillation=asked)
        trainer = make_trainer(
            "teacher", tmp_path / str(fading), SuperNetwork(make_model()), make_task(), recipe
        )
        trainer.run()
        losses.append(torch.stack(trainer._losses))
    torch.testing.assert_close(losses[1], losses[0] * (1 - torch.arange(8) / 8))


def test_teacher_strategy_without_a_teacher_raises(tmp_path: Path) -> None:
    from tests.training.make import strategy_of

    supernet, task = SuperNetwork(make_model()), make_task()
    with pytest.raises(ValueError, match="needs a teacher"):
        SuperNetTrainer(supernet, strategy_of("teacher", supernet), SLOW_ENOUGH, task, tmp_path)


class TestLengthSampler:
    lengths = tuple(range(1, 1001))

    def test_each_row_comes_once_in_batches_of_like_length(self) -> None:
        order = list(LengthSampler(self.lengths, 10, seed=0))
        assert sorted(order) == list(range(1000))
        spans = [max(order[i : i + 10]) - min(order[i : i + 10]) for i in range(0, 1000, 10)]
        assert max(spans) < 150

    def test_order_depends_on_seed_and_epoch_alone(self) -> None:
        first, second = LengthSampler(self.lengths, 10, seed=0), LengthSampler(self.lengths, 10, seed=0)
        list(first)
        assert list(first) == list(second)
        second.set_epoch(1)
        assert list(first) != list(second)
