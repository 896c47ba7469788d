"""The best front for the compute: methods x tasks x seeds, each cell at an equal budget.

    python -m benchmarks.front --model FOLDER --data FOLDER --work FOLDER [--quick]

A cell is a search from a shared fine-tuned checkpoint, at most eight engines chosen on validation,
scored on test by ONNX Runtime and timed side by side with the dense engine. Cells that are done are
kept in `--work`, and so are the plots; the tables list the cells that were not run. `NAME.json` and
`NAME.npz` beside the tables hold the cells that they are made of. `--no-run` writes the tables from
these files, and from the cells in `--work`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.front.cells import Results, cell_name
from benchmarks.front.kept import read_kept
from benchmarks.front.methods import BUDGETS, CORE_METHODS, CORE_TASKS, DENSE_SHARE, METHODS, SEEDS
from benchmarks.front.report import HERE, report
from compresskit.runs.atomic import write_atomic


@dataclass(frozen=True)
class Plan:
    """What is run: cells, budgets (relative to the full ones), engines and trials of each."""

    methods: tuple[str, ...]
    tasks: tuple[str, ...]
    seeds: tuple[int, ...] | None  # None: as many as each task has in the full mode
    scales: tuple[float, ...]
    trials: int
    most: int

    def cells(self) -> Iterator[tuple[str, int, float, str]]:
        """Task, seed, scale, method; first seeds first, so that a cut-off run has compared something."""
        every = sorted({seed for task in self.tasks for seed in self.seeds_of(task)})
        for scale in self.scales:
            for seed in every:
                for task in self.tasks:
                    if seed in self.seeds_of(task):
                        yield from ((task, seed, scale, method) for method in self.methods)

    def seeds_of(self, task: str) -> tuple[int, ...]:
        return self.seeds if self.seeds is not None else SEEDS.get(task, (0,))


FULL = Plan(CORE_METHODS, CORE_TASKS, None, (1.0,), 60, 8)
QUICK = Plan(CORE_METHODS, ("trec6",), (0,), (0.08,), 8, 3)
QUICK_PROFILE = """\
description = "One CPU thread, one text of 128 tokens, looked at briefly"
max_seconds = 1.0
interval_precision = 0.05
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="pretrained weights")
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument("--work", type=Path, required=True, help="folder that keeps cells")
    parser.add_argument("--quick", action="store_true", help="one small task and small budgets: 10 minutes")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS))
    parser.add_argument("--tasks", nargs="+", choices=list(BUDGETS))
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--scales", nargs="+", type=float, help="budgets, relative to the full ones")
    parser.add_argument("--profile", default="cpu-1-thread")
    parser.add_argument("--name", help="of the report (default: front, or quick)")
    parser.add_argument("--no-run", action="store_true", help="write the tables of cells that were run")
    options = parser.parse_args()
    base = QUICK if options.quick else FULL
    plan = Plan(
        methods=tuple(options.methods or base.methods),
        tasks=tuple(options.tasks or base.tasks),
        seeds=tuple(options.seeds) if options.seeds else base.seeds,
        scales=tuple(options.scales or base.scales),
        trials=base.trials,
        most=base.most,
    )
    profile = options.profile
    options.work.mkdir(parents=True, exist_ok=True)
    if options.quick:
        profile = str(options.work / "quick.toml")
        write_atomic(profile, QUICK_PROFILE)
    if not options.no_run:
        for cell in plan.cells():
            run_cell(*cell, plan, options.model, options.data, options.work, profile)
    name = options.name or ("quick" if options.quick else "front")
    kept = read_kept(HERE / name) if options.no_run else None
    report(name, Results.read(options.work, list(map(cell_name, plan.cells())), kept), options.work)


def run_cell(
    task: str,
    seed: int,
    scale: float,
    method: str,
    plan: Plan,
    model: str,
    data: Path,
    work: Path,
    profile: str,
) -> None:
    """Run one cell in a process of its own, unless it is done; a failure is told and the next goes on."""
    folder = work / cell_name((task, seed, scale, method))
    if (folder / "cell.json").exists():
        return
    from benchmarks.dense import dense_model
    from benchmarks.front.dense_engine import dense_engine
    from compresskit.pipeline.settings import SearchSettings

    budget = BUDGETS[task] * scale
    common: dict[str, Any] = {"dataset": str(data / task), "profile": profile, "seed": seed}
    dense_folder = folder.parent / "dense"
    dense = dense_model(SearchSettings(model=model, **common), dense_folder, DENSE_SHARE * budget, say)
    trials = METHODS[method].trials(plan.trials, plan.most)
    settings = SearchSettings(model=dense.folder, trials=trials, **common)
    dense_engine(settings, dense_folder / "engine", say)
    asked = {
        "task": task,
        "seed": seed,
        "scale": scale,
        "method": method,
        "most": plan.most,
        "specialised": METHODS[method].specialised,
        "budget": budget,
        "dense": asdict(dense),
        "dense_engine": str(dense_folder / "engine"),
        "settings": {**settings.to_json(), **METHODS[method].settings},
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "asked.json", json.dumps(asked, indent=2) + "\n")
    say(f"== {task}, seed {seed}, budget {budget:.0f} full steps, {method}")
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        code = subprocess.call([sys.executable, "-m", "benchmarks.front.cell", str(folder)], stderr=log)
    if code:
        lines = (folder / "log.txt").read_text(encoding="utf-8").splitlines()
        say(f"cell failed with status {code}: {lines[-1] if lines else ''} (see {folder / 'log.txt'})")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
