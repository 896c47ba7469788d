"""The ablation as a table, one row a variant; all tables are kept in one file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import markdown, origin_line, origin_of_results, to_lines, without_folders

HERE = Path(__file__).parent
NOTES = """\
Metric on validation rows, in per cent of the way from the prior to the dense model: mean over fixed
architectures from two thirds to an eighteenth of the dense multiply-accumulates; then the full network,
the smallest fixed one; the points by which the median of random ones of a third to half is above the
prior; and the area that all scored ones dominate (x: log of the reduction, at most 16 times). Budgets
are equal in full-step equivalents, the dense model's fine-tuning included. The cells behind the tables
are in `recipe.json`."""
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
    """Head and rows of what was run; each figure is a mean over seeds, with its change from `base`."""
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
        if any((task, name, seed) in cells for task in tasks for seed in seeds):
            rows.append(row)
    return rows


def not_run(cells: Cells, variants: Sequence[str], tasks: Sequence[str], seeds: Sequence[int]) -> list[str]:
    wanted = [(task, name, seed) for task in tasks for name in variants for seed in seeds]
    return [f"{task} {name} seed {seed}" for task, name, seed in wanted if (task, name, seed) not in cells]


def keep(
    name: str,
    cells: Cells,
    table: Sequence[Sequence[str]],
    missing: Sequence[str],
    note: str = "",
    folder: Path = HERE,
) -> None:
    """Put the table `name` among those of `recipe.json`, and write them all to `recipe.md`."""
    file = folder / "recipe.json"
    tables = json.loads(file.read_text()) if file.exists() else {}
    tables[name] = without_folders(
        {
            **origin_of_results(),
            "note": note,
            "table": table,
            "not_run": missing,
            "cells": {f"{task} {variant} {seed}": cell for (task, variant, seed), cell in cells.items()},
        }
    )
    file.write_text(to_lines(tables, depth=3) + "\n")
    lines = ["# Recipe", "", NOTES, ""]
    for title, found in sorted(tables.items()):
        text = " ".join(filter(None, (found["note"], f"Cells not run: {len(found['not_run'])}.")))
        lines += [f"## {title}", "", text, "", origin_line(found), "", *markdown(found["table"])]
    (folder / "recipe.md").write_text("\n".join(lines))


def _text(column: str, cells: Sequence[Cell]) -> str:
    values = [value for cell in cells if (value := COLUMNS[column](cell)) is not None]
    return f"{np.mean(values):.{DIGITS.get(column, 1)}f}" if values else ""


def _above_prior(cell: Cell) -> float | None:
    """Points of metric by which the median random architecture is above the prior."""
    if not cell["middle"]:
        return None
    return 100 * float(np.median(cell["middle"])) * float(cell["dense"] - cell["prior"])
