"""A search of a fine-tuned model, its engines at given speeds, and what bench says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.sst2.__main__ import run

# The engine of each name is the best within the dense latency over this; 5 % are for what bench finds.
SPEEDS = {"speed-2": 2.1, "speed-4": 4.2, "speed-8": 8.4}
PROFILE = "cpu-1-thread"


def engines_at_speeds(
    model: Path,
    dataset: Path,
    work: Path,
    options: Sequence[str],
    profile: str = PROFILE,
    *,
    finetune: float = 0.0,
) -> tuple[dict[str, Path], Any]:
    """Folders by name below `work`, the dense one first, and the result of bench; what is done is kept.

    `finetune`: epochs of each point before it is exported.
    """
    folder = work / "run"
    fresh = ["--model", str(model), "--dataset", str(dataset), "--profile", profile, *options]
    if not (folder / "pareto.json").exists():
        run("search", "--output", str(folder), *(["--resume"] if (folder / "run.json").exists() else fresh))
    dense_ms = json.loads((folder / "pareto.json").read_text())["dense"]["latency_ms"]
    tuned = ["--finetune-epochs", str(finetune)] if finetune else []
    choices = {
        name: ["--max-latency-ms", f"{dense_ms / speed:.4f}", *tuned] for name, speed in SPEEDS.items()
    }
    folders = {name: work / "engines" / name for name in ("dense", *choices)}
    for name, output in folders.items():
        if not output.exists():
            run("export", str(folder), *choices.get(name, ["--dense"]), "--output", str(output))
    paths = [str(path) for path in folders.values()]
    return folders, run("bench", *paths, "--baseline", paths[0], "--profile", profile)
