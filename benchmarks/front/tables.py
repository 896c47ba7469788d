"""Cells read back, and the tables that are made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.front.score import (
    THRESHOLDS,
    Difference,
    Scored,
    best_at_sizes,
    compare,
    kept_at,
    quantile_volumes,
)

SPEEDUPS = (2.0, 4.0, 8.0)
Key = tuple[str, int, float, str]  # task, seed, scale, method


@dataclass(frozen=True, eq=False)
class Results:
    """Cells by task, seed, scale and method; `wanted` are all that the plan has."""

    cells: Mapping[Key, Mapping[str, Any]]
    folders: Mapping[Key, Path]
    wanted: Sequence[str]

    @classmethod
    def read(cls, work: Path, places: Sequence[Path]) -> Results:
        cells: dict[Key, dict[str, Any]] = {}
        folders: dict[Key, Path] = {}
        for folder in places:
            if (folder / "cell.json").exists():
                cell = json.loads((folder / "cell.json").read_text())
                key = (cell["task"], cell["seed"], cell["scale"], cell["method"])
                cells[key], folders[key] = cell, folder
        return cls(cells, folders, [str(folder.relative_to(work)) for folder in places])

    @cached_property
    def tasks(self) -> list[str]:
        return list(dict.fromkeys(key[0] for key in self.cells))

    @cached_property
    def methods(self) -> list[str]:
        return list(dict.fromkeys(name.rpartition("/")[2] for name in self.wanted))

    @cached_property
    def largest(self) -> float:
        """The scale that the tables are about: the whole budget, or the largest there is."""
        return max((key[2] for key in self.cells), default=1.0)

    @cached_property
    def scored(self) -> dict[Key, Scored]:
        found = {}
        for key, cell in self.cells.items():
            arrays = dict(np.load(self.folders[key] / "predictions.npz"))
            names = [name for name in arrays if name.startswith("point-")]
            order = [point["engine"] for point in cell["points"]]
            assert sorted(names) == sorted(order)
            found[key] = Scored(
                cell["metric_name"],
                arrays["labels"],
                float(arrays["constant"]),
                arrays["dense"],
                [arrays[name] for name in order],
                [point["speedup"] for point in cell["points"]],
            )
        return found

    @cached_property
    def volumes(self) -> dict[Key, float]:
        return {key: scored.volume() for key, scored in self.scored.items()}

    def seeds(self, task: str, *methods: str, scale: float | None = None) -> list[int]:
        """Seeds at which all `methods` were run on `task`."""
        at = self.largest if scale is None else scale
        every = sorted({key[1] for key in self.cells if key[0] == task and key[2] == at})
        return [seed for seed in every if all((task, seed, at, method) in self.cells for method in methods)]

    def at(self, task: str, method: str, scale: float | None = None) -> list[Key]:
        found = self.largest if scale is None else scale
        return [(task, seed, found, method) for seed in self.seeds(task, method, scale=found)]

    def mean_volume(self, task: str, method: str, scale: float | None = None) -> float | None:
        return _mean([self.volumes[key] for key in self.at(task, method, scale)])

    @cached_property
    def _compared(self) -> dict[tuple[str, str, str], Difference]:
        return {}

    def difference(self, task: str, first: str, second: str) -> Difference | None:
        """Of two methods' areas over the seeds that both have; None where they share none."""
        key = (task, first, second)
        if key not in self._compared:
            seeds = self.seeds(task, first, second)
            if not seeds or first == second:
                return None
            pairs = [
                [self.scored[task, seed, self.largest, name] for seed in seeds] for name in (first, second)
            ]
            self._compared[key] = compare(pairs[0], pairs[1])
        return self._compared[key]

    def comparisons(self, default: str) -> dict[str, Any]:
        return {
            f"{task}: {default} against {method}": {**asdict(found), "verdict": found.verdict}
            for task in self.tasks
            for method in self.methods
            if (found := self.difference(task, default, method)) is not None
        }

    def quantile(self, task: str) -> dict[str, float]:
        """The paper's hypervolume of each method, mean over seeds; pooled over the methods of a seed."""
        found: dict[str, list[float]] = {}
        for seed in self.seeds(task):
            points = {
                method: self.cells[task, seed, self.largest, method]["points"]
                for method in self.methods
                if (task, seed, self.largest, method) in self.cells
            }
            for method, volume in quantile_volumes(points).items():
                found.setdefault(method, []).append(volume)
        return {method: float(np.mean(values)) for method, values in found.items()}

    def best_at_sizes(self) -> dict[str, dict[str, list[float | None]]]:
        """By task and method: best test metric at each threshold, mean over seeds with an engine there."""
        found: dict[str, dict[str, list[float | None]]] = {}
        for task in self.tasks:
            for method in self.methods:
                rows = [
                    best_at_sizes(self.cells[key]["points"], self.cells[key]["dense_params"])
                    for key in self.at(task, method)
                ]
                columns = zip(*rows, strict=True)
                found.setdefault(task, {})[method] = [_mean([v for v in c if v is not None]) for c in columns]
        return found

    def not_run(self) -> list[str]:
        done = {f"{task}-{seed}-{scale:g}/{method}" for task, seed, scale, method in self.cells}
        return [name for name in self.wanted if name not in done]

    def to_json(self) -> dict[str, Any]:
        left_out = ("settings", "dense_engine")
        return {
            f"{key[0]}-{key[1]}-{key[2]:g}/{key[3]}": {
                **{name: value for name, value in cell.items() if name not in left_out},
                "hypervolume": self.volumes[key],
            }
            for key, cell in self.cells.items()
        }


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
                value = _mean([share for share in kept if share is not None])
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
                steps = [_mean([cell["full_steps"][part] for cell in cells]) for part in parts]
                minutes = [
                    _mean([cell["seconds"].get(stage, 0.0) / 60 for cell in cells]) for stage in stages
                ]
                name = method if scale == 1 else f"{method}, {scale:g} of the budget"
                volume = _text(results.mean_volume(task, method, scale), 3)
                rows.append(
                    [task, name, volume, *(_text(s, 0) for s in steps), *(_text(m, 1) for m in minutes)]
                )
    return rows


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
