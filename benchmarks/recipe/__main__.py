"""Ablation of the recipe: variants x tasks x seeds, scored on validation rows at an equal budget.

    python -m benchmarks.recipe --model FOLDER --data FOLDER --work FOLDER [--axis recipe|strategy|space]

Cells that are done are kept in `--work` and not run again. The table becomes the section `--name` of
`recipe.md`; its cells are kept in `recipe.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.dense import dense_model
from benchmarks.recipe.cell import Cell
from benchmarks.recipe.table import keep, make_table, not_run
from benchmarks.recipe.variants import AXES, VARIANTS
from compresskit.pipeline.settings import SearchSettings
from compresskit.runs.atomic import write_atomic

DENSE_SHARE = 0.3  # of the whole budget, for fine-tuning the dense model
# Full-step equivalents from the pretrained weights on: two to ten minutes on one core.
BUDGETS = {"sst2": 1000.0, "trec6": 600.0, "cola": 1200.0, "mrpc": 1000.0, "stsb": 800.0}
DEFAULT_BUDGET = 1000.0
BASES = ("base", "strategy-teacher", "space-ranked")  # what the others of an axis are compared with


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="pretrained weights")
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--axis", choices=["recipe", "strategy", "space"], default="recipe")
    parser.add_argument(
        "--variants", nargs="+", choices=list(VARIANTS), help="these only, not the whole axis"
    )
    parser.add_argument("--name", help="of the table (default: the axis)")
    parser.add_argument("--note", default="", help="what else a reader of the table must know")
    parser.add_argument("--tasks", nargs="+", default=["trec6", "mrpc"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--scale", type=float, default=1.0, help="of the budgets")
    parser.add_argument("--pool", type=int, default=20, help="random architectures scored beside the grid")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--no-run", action="store_true", help="write the table of what is there")
    options = parser.parse_args()

    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    variants = {name: VARIANTS[name] for name in options.variants or AXES[options.axis]}
    cells: dict[tuple[str, str, int], dict[str, Any]] = {}
    for seed, task, (name, variant) in product(options.seeds, options.tasks, variants.items()):
        budget = BUDGETS.get(task, DEFAULT_BUDGET) * options.scale
        folder = options.work / f"{task}-{seed}-{budget:.0f}"
        same = [other for other, one in VARIANTS.items() if one == variant and other != name]
        places = [folder / "cells" / f"{title}.json" for title in (name, *same)]
        file = next((place for place in places if place.exists()), places[0])
        if not file.exists() and not options.no_run:
            settings = SearchSettings(
                model=options.model, dataset=str(options.data / task), profile="cpu-1-thread", seed=seed
            )
            dense = dense_model(settings, folder / "dense", DENSE_SHARE * budget, say)
            cell = Cell(variant, settings, dense, (1 - DENSE_SHARE) * budget, options.pool)
            found = {"variant": asdict(variant), "budget": budget, **cell.run(say)}
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(file, json.dumps(found, indent=2) + "\n")
            say(f"{task} {name} {seed}: mean {found['mean']:.4f}, {found['seconds']:.0f} s")
        if file.exists():
            cells[task, name, seed] = json.loads(file.read_text())
    base = next((name for name in variants if name in BASES), next(iter(variants)))
    lists = (list(variants), options.tasks, options.seeds)
    table = make_table(cells, *lists, base)
    keep(options.name or options.axis, cells, table, not_run(cells, *lists), options.note)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
