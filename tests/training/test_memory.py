from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from compresskit.supernet.batching import batch_of as stacked
from compresskit.supernet.network import SuperNetwork
from compresskit.training.memory import Batch, TeacherMemory
from compresskit.training.recipe import Recipe
from tests.families.test_bert import SIZES
from tests.training.make import INPUTS, assert_trained_alike, make_model, make_split, make_task, make_trainer

ROWS = make_split(12, seed=1).encoded


class Asked:
    """A teacher that notes how many rows are put to it at a time."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.rows = model.eval(), list[int]()

    def __call__(self, batch: Batch) -> Any:
        self.rows.append(len(batch["input_ids"]))
        with torch.no_grad():
            return self.model(**batch, output_hidden_states=True)


def batch_of(*rows: int, length: int | None = None) -> dict[str, torch.Tensor]:
    return stacked(INPUTS, [ROWS[i] for i in rows], length=length)


@pytest.fixture
def asked() -> Asked:
    return Asked(make_model())


def same(found: Any, wanted: Any, mask: torch.Tensor) -> None:
    torch.testing.assert_close(found.said, wanted.logits, rtol=0, atol=1e-5)
    for one, other in zip(found.hidden_states[1:], wanted.hidden_states[1:], strict=True):
        kept = mask.unsqueeze(-1).bool()
        torch.testing.assert_close(one * kept, other * kept, rtol=0, atol=1e-5)


def test_answers_are_the_teachers_and_each_row_is_put_to_it_once(asked: Asked) -> None:
    memory = TeacherMemory()
    for rows in ((0, 1, 2, 3), (3, 0), (2, 4, 5, 1), (5, 4)):
        batch = batch_of(*rows)
        with torch.no_grad():
            wanted = asked.model(**batch, output_hidden_states=True)
        same(memory.answers(batch, INPUTS, asked), wanted, batch["attention_mask"])
    assert asked.rows == [4, 2]
    assert len(memory) == 6


def test_a_row_is_known_in_any_padding(asked: Asked) -> None:
    memory = TeacherMemory()
    first = memory.answers(batch_of(0, 1), INPUTS, asked)
    again = memory.answers(batch_of(0, 1, length=40), INPUTS, asked)
    assert asked.rows == [2]
    assert again.hidden_states[-1].shape[1] == 40
    width = first.hidden_states[-1].shape[1]
    torch.testing.assert_close(again.hidden_states[-1][:, :width], first.hidden_states[-1], rtol=0, atol=0)
    assert not again.hidden_states[-1][:, width:].any()


def test_rows_differ_by_all_that_the_model_takes(asked: Asked) -> None:
    memory, batch = TeacherMemory(), batch_of(0, 1)
    batch["token_type_ids"] = torch.zeros_like(batch["input_ids"])
    memory.answers(batch, INPUTS, asked)
    memory.answers({**batch, "token_type_ids": batch["attention_mask"]}, INPUTS, asked)
    assert asked.rows == [2, 2]


def test_what_finds_no_room_is_asked_again(asked: Asked) -> None:
    a_token = 4 * SIZES["num_hidden_layers"] * SIZES["hidden_size"]
    first = int(batch_of(0)["attention_mask"].sum()) * a_token
    memory = TeacherMemory(most_bytes=first + 64)
    for _ in range(2):
        memory.answers(batch_of(0, 1, 2), INPUTS, asked)
    assert asked.rows == [3, 2]
    assert len(memory) == 1


def test_another_teacher_is_asked_itself_and_a_copy_is_not(asked: Asked) -> None:
    memory = TeacherMemory()
    memory.begin(asked.model)
    memory.answers(batch_of(0, 1), INPUTS, asked)
    memory.begin(copy.deepcopy(asked.model))
    assert len(memory) == 2
    other = make_model(seed=5)
    memory.begin(other)
    assert len(memory) == 0
    found = memory.answers(batch_of(0, 1), INPUTS, Asked(other))
    with torch.no_grad():
        same(found, other(**batch_of(0, 1), output_hidden_states=True), batch_of(0, 1)["attention_mask"])


def trained(folder: Path, memory: TeacherMemory | None, watch: Callable[[nn.Module], None]) -> SuperNetwork:
    supernet = SuperNetwork(make_model())
    recipe = Recipe(epochs=3, learning_rate=1e-3, batch_size=8)
    trainer = make_trainer("teacher", folder, supernet, make_task(), recipe)
    if memory is not None:
        trainer.memory = memory
    assert trainer.teacher is not None
    watch(trainer.teacher)
    trainer.run()
    return supernet


def test_training_with_a_memory_is_training_without_one(tmp_path: Path) -> None:
    counts: list[int] = []

    def watch(teacher: nn.Module) -> None:
        counts.append(0)

        def count(module: nn.Module, args: Any, kwargs: Any) -> None:
            counts[-1] += len(kwargs["input_ids"])

        teacher.register_forward_pre_hook(count, with_kwargs=True)

    with_memory = trained(tmp_path / "one", None, watch)
    without = trained(tmp_path / "two", TeacherMemory(most_bytes=0), watch)
    distinct = {tuple(row["input_ids"]) for row in make_task().train.encoded}
    assert counts[0] == len(distinct)
    assert counts[1] == 3 * len(make_task().train)
    assert_trained_alike(with_memory, without)
