"""Penalties against each other and against structured search, at the same latency measured on the device.

Every step is a command of the program, run as a user would; a cut-off run goes on where it was. With the
defaults about an hour a data set on two cores: four searches of equal training, then the exports.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import write_results

# Name in the table -> options of `compresskit search`.
SEARCHES = {
    "reweighted lasso": ["--method", "block", "--lasso", "reweighted"],
    "plain lasso": ["--method", "block", "--lasso", "plain"],
    "magnitude": ["--method", "block", "--lasso", "none"],
    "structured": ["--method", "nas"],
}
BLOCKED = tuple(name for name in SEARCHES if name != "structured")
# Latency targets, as speed-ups over the dense model of the structured search's run.
SPEEDUPS = (1.25, 1.5, 2.0, 2.5, 3.0)


def command(*words: str) -> Any:
    """A command's result, or None where it answers that there is no such thing; progress goes on."""
    done = subprocess.run(
        [sys.executable, "-m", "compresskit", *words, "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.returncode)
    return json.loads(done.stdout) if done.returncode == 0 else None


def run(
    output: Path,
    *,
    model: str,
    data: Path,
    work: Path,
    sets: Sequence[str],
    epochs: str | None,
    quick: bool,
    say: Callable[[str], None],
) -> None:
    """Search and export what is missing in `work`, and write compare.json, .md and .png into `output`."""
    speedups = SPEEDUPS[1:3] if quick else SPEEDUPS
    results: dict[str, Any] = {"speedups": speedups, "sets": {}}
    table = [["data", "speed-up of at least", *SEARCHES]]
    for name in sets:
        found = one_set(name, model, data / name, work / name, speedups, epochs, quick, say)
        results["sets"][name] = found
        dense = found["dense"]
        for speedup in speedups:
            row = [name, f"{speedup:g}"]
            for method in SEARCHES:
                point = found["points"][method].get(f"{speedup:g}")
                row.append("none" if point is None else f"{100 * point['test_metric']:.2f}")
            table.append(row)
        table.append([name, "dense", *[f"{100 * dense['test_metric']:.2f}"] * len(SEARCHES)])
    name = "compare_quick" if quick else "compare"
    draw(results, output / f"{name}.png")
    write_results(
        output,
        name,
        results,
        table,
        "Test metric x 100, in ONNX Runtime, of the best point within a latency, chosen on validation. "
        "Latency was measured on one CPU thread, one text of 128 tokens. `none`: no point is that fast. "
        + verdict(results)
        + f"\n\n![metric against latency]({name}.png)",
    )


def one_set(
    name: str,
    model: str,
    data: Path,
    work: Path,
    speedups: Sequence[float],
    epochs: str | None,
    quick: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Fronts of all searches on one data set, and the engines within each latency."""
    found: dict[str, Any] = {"fronts": {}, "points": {}}
    for method, options in SEARCHES.items():
        folder = work / method.replace(" ", "-")
        fresh = ["--model", model, "--dataset", str(data), "--profile", "cpu-1-thread", *options]
        fresh += ["--epochs", epochs] if epochs else []
        fresh += ["--trials", "3"] if quick else []
        is_begun = (folder / "run.json").exists()
        if not (folder / "pareto.json").exists():
            say(f"{name}: searching by {method}")
            if command("search", "--output", str(folder), *(["--resume"] if is_begun else fresh)) is None:
                say(f"{name}: {method} found nothing")
                found["fronts"][method], found["points"][method] = [], {}
                continue
        found["fronts"][method] = json.loads((folder / "pareto.json").read_text())["points"]
    base = work / "structured"
    dense_ms = json.loads((base / "pareto.json").read_text())["dense"]["latency_ms"]
    found["dense"] = exported(base, work / "engines" / "dense", ["--dense"])
    for method in SEARCHES:
        folder = work / method.replace(" ", "-")
        engines = {}
        for speedup in speedups if found["fronts"][method] else ():
            limit = f"{dense_ms / speedup:.4f}"
            output = work / "engines" / f"{folder.name}-{speedup:g}"
            engine = exported(folder, output, ["--max-latency-ms", limit])
            if engine is not None:
                engines[f"{speedup:g}"] = engine
        found["points"][method] = engines
    return found


def exported(run_folder: Path, output: Path, choice: list[str]) -> Any:
    """The manifest's figures of a point; None where there is none."""
    if not output.exists() and command("export", str(run_folder), *choice, "--output", str(output)) is None:
        return None
    manifest = json.loads((output / "compresskit.json").read_text())
    kept = ("signature", "test_metric", "metric_name", "num_params", "macs", "lineage")
    blocks = {key: value for key, value in manifest["blocks"].items() if key != "matrices"}
    return {**{key: manifest[key] for key in kept}, "blocks": blocks}


def verdict(results: dict[str, Any]) -> str:
    """In how many cells the best of the blocked methods beats structured search."""
    wins = cells = 0
    for found in results["sets"].values():
        for speedup in map("{:g}".format, results["speedups"]):
            structured = found["points"]["structured"].get(speedup)
            blocked = [found["points"][method].get(speedup) for method in BLOCKED]
            best = max((point["test_metric"] for point in blocked if point), default=None)
            if structured is None and best is None:
                continue
            cells += 1
            wins += best is not None and (structured is None or best > structured["test_metric"])
    return (
        f"In {wins} of {cells} cells the best block-pruned point is better than the structured one at the "
        "same latency" + ("." if 2 * wins > cells else ": block structure does not pay in most of them.")
    )


def draw(results: dict[str, Any], path: Path) -> None:
    """Validation metric of every front against measured latency, one panel a data set."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sets = results["sets"]
    figure = Figure(figsize=(5 * len(sets), 4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, found) in zip(
        figure.subplots(1, len(sets), squeeze=False)[0], sets.items(), strict=True
    ):
        for method, points in found["fronts"].items():
            axes.plot(
                [point["latency_ms"] for point in points],
                [100 * point["metric"] for point in points],
                marker="o",
                markersize=3,
                label=method,
            )
        axes.set_title(name)
        axes.set_xlabel("latency, ms")
        axes.set_ylabel("validation metric x 100")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
