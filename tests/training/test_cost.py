from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from compresskit.architecture import Architecture
from compresskit.display import UNCOUNTED
from compresskit.supernet.network import SuperNetwork
from compresskit.training.cost import FIXED, FORWARD, lessons_at, mean_step_cost, step_cost
from compresskit.training.progress import ProgressCallback
from compresskit.training.recipe import Recipe
from compresskit.training.strategies import FROM_LABELS, FROM_TEACHER, FROM_TWIN, Consistent, Lesson
from tests.training.make import make_model, make_task, make_trainer, strategy_of


@pytest.fixture(scope="module")
def supernet() -> SuperNetwork:
    return SuperNetwork(make_model())


def test_a_step_of_the_full_network_costs_one(supernet: SuperNetwork) -> None:
    lesson = Lesson(supernet.full, FROM_LABELS, is_full=True)
    assert step_cost(supernet.blueprint, [lesson]) == pytest.approx(1)
    assert mean_step_cost(strategy_of("standard", supernet), supernet.blueprint) == pytest.approx(1)
    twin = Lesson(supernet.full, FROM_TWIN, is_full=True)
    assert step_cost(supernet.blueprint, [twin]) == pytest.approx(2)
    consistent = Consistent(supernet.full, supernet.full, lambda *_: supernet.full)
    assert mean_step_cost(consistent, supernet.blueprint) == pytest.approx(2)


def test_cost_follows_macs_and_a_teachers_forward_is_paid_once(supernet: SuperNetwork) -> None:
    dims = supernet.blueprint.dims
    half = Architecture.uniform(dims, range(dims.num_layers // 2), dims.num_heads, dims.num_units)
    alone = step_cost(supernet.blueprint, [Lesson(half, FROM_LABELS)])
    assert alone == pytest.approx(FIXED + (1 - FIXED) / 2, abs=0.02)
    taught = step_cost(supernet.blueprint, [Lesson(half, FROM_TEACHER)] * 2)
    assert taught == pytest.approx(2 * alone + FORWARD)


def test_mean_is_that_of_a_whole_run(supernet: SuperNetwork) -> None:
    strategy, steps = strategy_of("random_linear", supernet), 1500
    every = [step_cost(supernet.blueprint, lessons_at(strategy, 3, i, steps)) for i in range(steps)]
    assert mean_step_cost(strategy, supernet.blueprint, seed=3) == pytest.approx(np.mean(every), rel=0.05)


def test_training_says_what_it_cost(tmp_path: Path) -> None:
    supernet = SuperNetwork(make_model())
    trainer = make_trainer("teacher", tmp_path, supernet, make_task(), Recipe(2, 1e-3, batch_size=16))
    trainer.add_callback(
        ProgressCallback("shared", tmp_path / "log.jsonl", UNCOUNTED, full_steps=lambda: trainer.full_steps)
    )
    trainer.run()
    by_hand = sum(
        step_cost(supernet.blueprint, lessons_at(trainer.strategy, 0, step, 8)) for step in range(8)
    )
    assert trainer.full_steps == pytest.approx(by_hand)
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert last["full_steps"] == pytest.approx(by_hand)
