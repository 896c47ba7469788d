"""The ablation as a table: one row a variant, what was not run said as such."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Cell = Mapping[str, Any]
Cells = Mapping[tuple[str, str, int], Cell]  # by task, variant and seed
COLUMNS: dict[str, Callable[[Cell], float | None]] = {
    "mean": lambda cell: 100 * cell["mean"],
    "full": lambda cell: 100 * cell["full"],
    "smallest": lambda cell: 100 * float(list(cell["grid"].values())[-1]),
    "a third to half": lambda cell: _above_prior(cell),
    "area": lambda cell: cell["area"],
    "steps": lambda cell: cell["steps"],
}
DIGITS = {"area": 3, "steps": 0}


def make_table(
    cells: Cells, variants: Sequence[str], tasks: Sequence[str], seeds: Sequence[int], base: str
) -> list[list[str]]:
    """Head and rows; each figure is a mean over the seeds that were run, with its change from `base`."""
    rows = [["variant", *(f"{task}: {column}" for task in tasks for column in ("change", *COLUMNS))]]
    for name in variants:
        row = [name]
        for task in tasks:
            shared = [seed for seed in seeds if {(task, name, seed), (task, base, seed)} <= cells.keys()]
            change = [cells[task, name, seed]["mean"] - cells[task, base, seed]["mean"] for seed in shared]
            row.append(f"{100 * np.mean(change):+.1f}" if shared and name != base else "")
            found = [cells[task, name, seed] for seed in seeds if (task, name, seed) in cells]
            row += [_text(column, found) for column in COLUMNS]
            if not found:
                row[-len(COLUMNS)] = "not run"
        rows.append(row)
    return rows


def not_run(cells: Cells, variants: Sequence[str], tasks: Sequence[str], seeds: Sequence[int]) -> list[str]:
    wanted = [(task, name, seed) for task in tasks for name in variants for seed in seeds]
    return [f"{task} {name} seed {seed}" for task, name, seed in wanted if (task, name, seed) not in cells]


def _text(column: str, cells: Sequence[Cell]) -> str:
    values = [value for cell in cells if (value := COLUMNS[column](cell)) is not None]
    return f"{np.mean(values):.{DIGITS.get(column, 1)}f}" if values else ""


def _above_prior(cell: Cell) -> float | None:
    """Points of metric by which the median random architecture is above the prior."""
    if not cell["middle"]:
        return None
    return 100 * float(np.median(cell["middle"])) * float(cell["dense"] - cell["prior"])
