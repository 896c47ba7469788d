"""What `search` says of the time it will take."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.time_estimate import (
    SECONDS_A_CHOICE,
    SECONDS_A_MEASUREMENT,
    Clock,
    format_seconds,
)
from compresskit.training.progress import Progress
from compresskit.training.recipe import Recipe

SETTINGS = {"model": "m", "dataset": "d", "profile": "cpu-1-thread", "trials": 60}


def said(stage: str, cost: float, shared_epochs: float = 3.2, rest: float = 0.0, **changes: Any) -> float:
    """Seconds that the clock says are left, 10 of 310 steps of half a second into a stage."""
    lines: list[str] = []
    clock = Clock(lines.append)
    settings = SearchSettings.from_json({**SETTINGS, **changes})
    rows: Any = SimpleNamespace(
        train=SimpleNamespace(encoded=[0] * 3100), search=SimpleNamespace(encoded=[0] * 960)
    )
    costs = {"dense": 2.0, "supernet": cost}
    dense = Recipe(epochs=3.2, learning_rate=1e-4, batch_size=32)
    recipes = {"dense": dense, "supernet": replace(dense, epochs=shared_epochs)}
    clock.begin(stage, settings, recipes, rows, costs, rest)
    for step in (10, 20):
        left = (310 - step) * 0.5
        clock.hear(
            Progress(stage=stage, step=step, of=310, loss=None, metric=None, seconds=5.0, seconds_left=left)
        )
    (line,) = [line for line in lines if "whole search" in line]
    hours, minutes, seconds = (
        int((re.search(rf"(\d+) {unit}\b", line) or [0, 0])[1]) for unit in ("h", "min", "s")
    )
    return 3600 * hours + 60 * minutes + seconds


def scoring(seconds_a_full_step: float) -> float:
    """Of 960 rows in 30 batches, each a third of a step of half the network, in 60 trials."""
    return 60 * (30 / 3 / 2 * seconds_a_full_step + SECONDS_A_MEASUREMENT) + SECONDS_A_CHOICE


@pytest.mark.parametrize("cost", [1.5, 3.0])
def test_the_dense_stage_counts_the_super_network_at_what_its_steps_cost(cost: float) -> None:
    # half a second is what a step of two passes takes
    assert said("dense", cost) == pytest.approx(150 + 310 * cost * 0.25 + scoring(0.25), abs=1)


def test_the_dense_stage_counts_the_epochs_that_the_super_network_has() -> None:
    assert said("dense", 1.5, shared_epochs=6.4) == pytest.approx(
        150 + 620 * 1.5 * 0.25 + scoring(0.25), abs=1
    )


def test_in_the_super_network_a_full_step_is_told_from_its_own() -> None:
    assert said("supernet", cost=2.0) == pytest.approx(150 + scoring(0.25), abs=1)


def test_the_other_parts_of_the_super_network_are_counted() -> None:
    found = said("supernet", cost=2.0, rest=400.0)
    assert found == pytest.approx(150 + 400 * 0.25 + scoring(0.25), abs=1)


def test_a_budget_of_time_bounds_the_search() -> None:
    assert said("supernet", cost=2.0, budget_seconds=100.0) == pytest.approx(
        150 + 100 + SECONDS_A_CHOICE, abs=1
    )


def test_times_as_people_say_them() -> None:
    assert [format_seconds(s) for s in (7.4, 61, 3600 + 120)] == ["7 s", "1 min 1 s", "1 h 2 min"]
