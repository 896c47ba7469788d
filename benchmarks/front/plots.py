"""Pictures of the fronts, and of what compute buys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from benchmarks.front.cells import Results
from compresskit.report.units import metric_label

COLOURS = ("#1d5fc2", "#a84f08", "#2c7a4b", "#8a3fa0", "#b3261e", "#4c5a67", "#0e7c86", "#9a7d0a")
MARKERS = "osD^vPXh"


def plot_task(results: Results, task: str, path: Path) -> None:
    """Test metric against measured latency, and against parameters; one line a method, first seed.

    Latency is the speed-up over the dense engine measured beside it: cells ran at different times.
    """
    figure, axes = _figure(2)
    lowest: list[float] = []
    for number, method in enumerate(results.methods):
        keys = results.at(task, method)
        if not keys:
            continue
        cell = results.cells[keys[0]]
        for axis, name, scale in ((axes[0], "speedup", 1.0), (axes[1], "num_params", 1e-6)):
            xs = np.array([point[name] * scale for point in cell["points"]])
            ys = np.array([100 * point["test_metric"] for point in cell["points"]])
            order = np.argsort(xs)
            axis.plot(xs[order], ys[order], label=method, **_style(number))
            lowest += ys.tolist()
    cell = results.cells[next(key for key in results.cells if key[0] == task and key[2] == results.largest)]
    dense = 100 * cell["dense_test_metric"]
    bottom = min([*lowest, dense - 1.0])
    for axis, x in ((axes[0], 1.0), (axes[1], cell["dense_params"] * 1e-6)):
        axis.plot(x, dense, "*", color="black", ms=10, label="dense")
        axis.set_ylim(bottom=bottom - 0.1 * (dense - bottom))
        axis.axhline(100 * cell["prior"], color="#8b95a1", ls=":", lw=1)  # seen where a method falls to it
    axes[0].set(
        xlabel="times as fast as dense", ylabel=f"test {metric_label(cell['metric_name'])}", title=task
    )
    axes[0].set_xscale("log", base=2)
    axes[0].xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes[1].set(xlabel="parameters, millions")
    axes[1].legend(frameon=False, fontsize=8)
    figure.savefig(path)


def plot_compute(results: Results, path: Path) -> None:
    """Dominated area against full-step equivalents spent; one panel a task, mean over seeds."""
    figure, axes = _figure(len(results.tasks))
    for axis, task in zip(axes, results.tasks, strict=True):
        scales = sorted({key[2] for key in results.cells if key[0] == task})
        for number, method in enumerate(results.methods):
            spent, volumes = [], []
            for scale in scales:
                volume = results.mean_volume(task, method, scale)
                if volume is not None:
                    cells = [results.cells[key] for key in results.at(task, method, scale)]
                    spent.append(float(np.mean([sum(cell["full_steps"].values()) for cell in cells])))
                    volumes.append(volume)
            if spent:
                axis.plot(spent, volumes, label=method, **_style(number))
        axis.set(xlabel="full-step equivalents", title=task)
    axes[0].set_ylabel("hypervolume")
    axes[-1].legend(frameon=False, fontsize=8)
    figure.savefig(path)


def _figure(panels: int) -> tuple[Figure, list[Any]]:
    figure = Figure(figsize=(max(4.0 * panels, 8.0), 4.0), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#eceef0")
        axis.set_axisbelow(True)
    return figure, axes


def _style(number: int) -> dict[str, Any]:
    place = number % len(COLOURS)
    return {"color": COLOURS[place], "marker": MARKERS[place], "ms": 5, "lw": 1.2}
