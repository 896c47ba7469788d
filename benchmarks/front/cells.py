"""Cells read back and compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.front.score import Difference, Scored, best_at_sizes, compare, quantile_volumes

Array = npt.NDArray[Any]
Key = tuple[str, int, float, str]  # task, seed, scale, method


@dataclass(frozen=True, eq=False)
class Results:
    """Cells by task, seed, scale and method; `wanted` are all that the plan has.

    `predictions`: of each cell, by engine, "dense", "labels" and "constant".
    """

    cells: Mapping[Key, Mapping[str, Any]]
    predictions: Mapping[Key, Mapping[str, Array]]
    wanted: Sequence[str]

    @classmethod
    def read(cls, work: Path, wanted: Sequence[str], kept: Results | None = None) -> Results:
        """The cells `wanted` (see `cell_name`) in `work`; those that are not there as `kept` has them."""
        cells: dict[Key, Mapping[str, Any]] = {}
        predictions: dict[Key, Mapping[str, Array]] = {}
        known = {cell_name(key): key for key in kept.cells} if kept else {}
        for name in wanted:
            if (work / name / "cell.json").exists():
                cell = json.loads((work / name / "cell.json").read_text())
                key = key_of(cell)
                cells[key], predictions[key] = cell, dict(np.load(work / name / "predictions.npz"))
            elif kept and name in known:
                key = known[name]
                cells[key], predictions[key] = kept.cells[key], kept.predictions[key]
        return cls(cells, predictions, wanted)

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
            arrays = self.predictions[key]
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
        return mean([self.volumes[key] for key in self.at(task, method, scale)])

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
                found.setdefault(task, {})[method] = [mean([v for v in c if v is not None]) for c in columns]
        return found

    def not_run(self) -> list[str]:
        done = set(map(cell_name, self.cells))
        return [name for name in self.wanted if name not in done]

    def without_fidelity(self) -> list[str]:
        """Cells of before fidelity counted: their engines were chosen by the metric alone."""
        return [
            cell_name(key)
            for key, cell in self.cells.items()
            if any("worth" not in point for point in cell["points"])
        ]

    @cached_property
    def processors(self) -> dict[str, list[str]]:
        """Where the cells of each task were measured."""
        found: dict[str, dict[str, None]] = {}
        for key, cell in self.cells.items():
            found.setdefault(key[0], {})[cell["processor"]] = None
        return {task: list(names) for task, names in found.items()}

    def to_json(self) -> dict[str, float]:
        """The area of each cell."""
        return {cell_name(key): volume for key, volume in self.volumes.items()}


def key_of(cell: Mapping[str, Any]) -> Key:
    return (cell["task"], cell["seed"], cell["scale"], cell["method"])


def cell_name(key: Key) -> str:
    """The folder of a cell, below the one that keeps them."""
    return f"{key[0]}-{key[1]}-{key[2]:g}/{key[3]}"


def mean(values: Sequence[float]) -> float | None:
    """None where there are none."""
    return float(np.mean(values)) if len(values) else None
