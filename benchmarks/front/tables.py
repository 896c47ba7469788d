"""The tables of a benchmark of fronts: areas, speeds, sizes, compute."""

from __future__ import annotations

from benchmarks.front.cells import Results, mean
from benchmarks.front.score import THRESHOLDS, kept_at

SPEEDUPS = (2.0, 4.0, 8.0)


def main_table(results: Results, default: str) -> list[list[str]]:
    rows = [["method", *results.tasks, *(f"{task}, quantile" for task in results.tasks)]]
    quantiles = {task: results.quantile(task) for task in results.tasks}
    for method in results.methods:
        row = [method]
        for task in results.tasks:
            volume, found = results.mean_volume(task, method), results.difference(task, default, method)
            verdict = "" if found is None else f" ({found.verdict} {found.low:+.3f} to {found.high:+.3f})"
            row.append("not run" if volume is None else f"{volume:.3f}{verdict}")
        rows.append([*row, *(_text(quantiles[task].get(method), 3) for task in results.tasks)])
    return rows


def retention_table(results: Results) -> list[list[str]]:
    rows = [["method", *(f"{task} {speedup:g}x" for task in results.tasks for speedup in SPEEDUPS)]]
    for method in results.methods:
        row = [method]
        for task in results.tasks:
            cells = [results.cells[key] for key in results.at(task, method)]
            for speedup in SPEEDUPS:
                kept = [kept_at(cell["points"], cell["dense_test_metric"], speedup) for cell in cells]
                value = mean([share for share in kept if share is not None])
                row.append("" if value is None else f"{100 * value:.1f} %")
        rows.append(row)
    return rows


def size_table(results: Results) -> list[list[str]]:
    found = results.best_at_sizes()
    columns = [
        i
        for i in range(len(THRESHOLDS))
        if any(values and values[i] is not None for by in found.values() for values in by.values())
    ]
    rows = [["task", "method", *(f"{THRESHOLDS[i]:.2f}" for i in columns)]]
    for task, by_method in found.items():
        for method, values in by_method.items():
            if values:
                rows.append([task, method, *(_text(values[i], 3) for i in columns)])
    return rows


def compute_table(results: Results) -> list[list[str]]:
    parts, stages = ("dense", "training", "search"), ("dense", "search", "export", "bench")
    rows = [
        ["task", "method", "hypervolume", *(f"{p}, steps" for p in parts), *(f"{s}, min" for s in stages)]
    ]
    for task in results.tasks:
        for method in results.methods:
            for scale in sorted({key[2] for key in results.cells if key[0] == task}):
                cells = [results.cells[key] for key in results.at(task, method, scale)]
                if not cells:
                    continue
                steps = [mean([cell["full_steps"][part] for cell in cells]) for part in parts]
                minutes = [mean([cell["seconds"].get(stage, 0.0) / 60 for cell in cells]) for stage in stages]
                name = method if scale == 1 else f"{method}, {scale:g} of the budget"
                volume = _text(results.mean_volume(task, method, scale), 3)
                rows.append(
                    [task, name, volume, *(_text(s, 0) for s in steps), *(_text(m, 1) for m in minutes)]
                )
    return rows


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
