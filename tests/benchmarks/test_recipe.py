from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.dense import dense_model
from benchmarks.recipe.cell import Cell
from benchmarks.recipe.scored import GRID, drawn, grid_of
from benchmarks.recipe.table import keep, make_table, not_run
from benchmarks.recipe.variants import BASE, VARIANTS
from compresskit.architecture import Dimensions
from compresskit.spaces import make_space
from compresskit.training.cost import lessons_at
from tests.contracts.strategy import DIMS
from tests.pipeline.make import make_inputs, settings_for


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_makes_its_strategy(name: str) -> None:
    variant = VARIANTS[name]
    space = make_space(variant.space, DIMS, layer_policy=variant.layer_policy)
    strategy = variant.make_strategy(space, list(grid_of(space).values()))
    lessons = lessons_at(strategy, 0, 3, 8)
    assert lessons
    assert all(len(lesson.architecture.layers) == DIMS.num_layers for lesson in lessons)
    assert variant.recipe(2.0, 5).seed == 5


def test_grid_goes_down_in_size() -> None:
    space = make_space("small", Dimensions(6, 12, 32, 1536, 384))
    sizes = [space.relative_size(architecture) for architecture in grid_of(space).values()]
    assert len(sizes) == len(GRID)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(2 / 3)
    assert sizes[-1] == pytest.approx(1 / 18)


def test_drawn_architectures_are_distinct_and_of_the_size_asked_for() -> None:
    space = make_space("medium", DIMS)
    found = drawn(space, 12, 0, (1 / 3, 1 / 2))
    assert len(set(found)) == 12
    assert all(1 / 3 <= space.relative_size(architecture) <= 1 / 2 for architecture in found)


def test_a_cell_trains_within_its_budget_and_scores(tmp_path: Path) -> None:
    make_inputs(tmp_path)
    settings = settings_for(tmp_path, unit_multiple=32, learning_rate=3e-3)
    heard: list[str] = []
    dense = dense_model(settings, tmp_path / "dense", 60, heard.append)
    again = dense_model(settings, tmp_path / "dense", 60, heard.append)
    assert again == dense  # read back, not trained again
    assert dense.full_steps == pytest.approx(60, abs=1)
    dense = replace(dense, prior=0.0)  # so few steps on so few rows need not beat the real one
    variants = (
        BASE,
        replace(BASE, own=("norms", "head"), specialised=0.5, average=0.9),
        VARIANTS["alone-ridge"],
        VARIANTS["parts-2"],
    )
    for variant in variants:
        found = Cell(variant, settings, dense, budget=12, pool=2).run(heard.append)
        json.dumps(found)
        assert found["full_steps"] == pytest.approx(dense.full_steps + 12, abs=2)
        assert len(found["grid"]) == len(GRID)
        assert np.isfinite([found["mean"], found["area"], found["full"], *found["middle"]]).all()
    assert (tmp_path / "dense" / "ordered-fisher").is_dir()


def cell(mean: float, middle: list[float]) -> dict[str, Any]:
    grid = {"a": mean, "b": mean - 0.2}
    return {"mean": mean, "full": 1.0, "grid": grid, "middle": middle, "area": 1.5, "steps": 40} | {
        "dense": 0.9,
        "prior": 0.5,
    }


def test_table_says_the_change_and_what_was_not_run() -> None:
    cells = {("one", "base", 0): cell(0.8, [0.5, 0.7, 0.9]), ("one", "new", 0): cell(0.85, [])}
    head, base, new = make_table(cells, ["base", "new", "none"], ["one"], [0], "base")
    assert head[:3] == ["variant", "one: change", "one: mean"]
    assert base == ["base", "", "80.0", "100.0", "60.0", "28.0", "1.500", "40"]
    assert new[:3] == ["new", "+5.0", "85.0"]
    assert new[5] == ""
    rows = make_table(cells, ["base", "new"], ["one", "two"], [0], "base")
    assert rows[1][8:10] == ["", "not run"]
    assert not_run(cells, ["base", "none"], ["one"], [0]) == ["one none seed 0"]


def test_tables_are_kept_in_one_file(tmp_path: Path) -> None:
    cells = {("one", "base", 0): cell(0.8, [])}
    table = make_table(cells, ["base"], ["one"], [0], "base")
    keep("later", cells, table, ["one new seed 0"], "A note.", tmp_path)
    keep("first", cells, table, [], folder=tmp_path)
    kept = json.loads((tmp_path / "recipe.json").read_text())
    assert kept["later"]["cells"] == {"one base 0": cell(0.8, [])}
    text = (tmp_path / "recipe.md").read_text()
    assert text.index("## first") < text.index("## later") < text.index("A note. Cells not run: 1.")
    keep("later", cells, table, [], folder=tmp_path)
    assert "A note" not in (tmp_path / "recipe.md").read_text()
