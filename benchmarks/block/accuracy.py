"""Metric against compression rate: data sets, a dense model and its 3-layer student, penalties."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.dense import dense_model
from benchmarks.results import write_results
from compresskit.architecture import Architecture
from compresskit.blocks import INPUTS, NO_LASSO, OUTPUTS, Partition
from compresskit.display import display_of
from compresskit.methods.block import FIRST_SHARES, distilled_rate
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.models import load_model, open_checkpoint, save_model
from compresskit.pruning.block.matrices import GroupSetting, partitions_of
from compresskit.pruning.block.stages import Lasso, prune, retrain, train_with_lasso
from compresskit.pruning.extract import extract
from compresskit.runs.atomic import write_atomic
from compresskit.spaces import kept_layers
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.surgery import blueprint_of
from compresskit.training.recipe import Recipe
from compresskit.training.stages import Stage, score, train_supernet
from compresskit.training.strategies import Point

# Two blocks along the hidden dimension: heads and units are the members, and may die whole.
CUTS = {
    "qkv": Partition(INPUTS, 2),
    "out": Partition(OUTPUTS, 2),
    "up": Partition(INPUTS, 2),
    "down": Partition(OUTPUTS, 2),
}
RATES = (1.5, 2.0, 3.0, 4.0, 5.0)
BASES = ("dense", "student")
# Fine-tuning (4 epochs of small sets) in full-step equivalents; student, lasso, each point in steps.
STEPS = {
    "sst2": (2100, 2100, 2100, 1050),
    "mrpc": (642, 345, 345, 230),
    "stsb": (504, 450, 450, 270),
}
STUDENT_LAYERS = 3


@dataclass(frozen=True)
class Cell:
    """One pruned model: the `rate` asked for, the one `reached`; metrics as fractions; `scale`: of steps."""

    data: str
    base: str
    lasso: str
    rate: float
    reached: float
    validation: float
    test: float
    seconds: float
    scale: float = 1.0


class Accuracy:
    """All cells of one data set; what is done stands in `work` and is not done again."""

    def __init__(
        self,
        data: str,
        settings: SearchSettings,
        work: Path,
        scale: float,
        strength: float,
        dense: Path | None,
        say: Callable[[str], None],
    ) -> None:
        self.data = data
        self.settings = settings
        self.work = work / data
        self.student = self.work / "student"
        self.scale = scale
        self.steps = [max(2, round(scale * steps)) for steps in STEPS[data]]
        self.strength = strength
        self.dense = dense if dense is not None and dense.exists() else None
        self.say = say
        checkpoint = open_checkpoint(settings.model)
        self.task = read_task(settings, checkpoint)

    def stage(self, name: str) -> Stage:
        folder = self.work / "training" / name
        return Stage(self.task, folder, display_of(self.say), resume=True)

    def recipe(self, steps: int) -> Recipe:
        rows = len(self.task.train)
        return Recipe(
            epochs=steps / -(-rows // 32), learning_rate=distilled_rate(rows), seed=self.settings.seed
        )

    def metrics(self, model: nn.Module, architecture: Architecture | None = None) -> tuple[float, float]:
        """On validation and on the test split."""
        network, stage = SuperNetwork(model), self.stage("score")
        return (
            score(network, stage, self.task.validation, architecture),
            score(network, stage, self.task.test, architecture),
        )

    def has(self, base: str) -> bool:
        """Whether `base` needs no training."""
        dense = self.work / "dense" / "dense.json"
        return self.student.exists() if base == "student" else self.dense is not None or dense.exists()

    def base(self, name: str) -> nn.Module:
        """The dense model, or its student of fewer layers distilled from it."""
        given = self.dense
        if given is None:
            made = dense_model(self.settings, self.work / "dense", float(self.steps[0]), self.say)
            given = Path(made.folder)
        dense = load_model(given)
        if name == "dense":
            return dense
        if not self.has(name):
            dims = blueprint_of(dense).dims
            places = kept_layers(dims.num_layers, STUDENT_LAYERS, "spread")
            chosen = Architecture.uniform(dims, places, dims.num_heads, dims.num_units)
            shared = copy.deepcopy(dense)
            train_supernet(
                SuperNetwork(shared),
                self.stage("student"),
                self.recipe(self.steps[1]),
                lambda full: Point.of(full, chosen),
                chosen,
                "student",
                teacher=dense,
            )
            save_model(extract(shared, chosen), self.student)
        return load_model(self.student)

    def prepared(self, base: str, kind: str) -> nn.Module:
        """The base after training with the penalty."""
        folder = self.work / f"{base}-{self.named(kind)}"
        if not folder.exists():
            model = self.base(base)
            lasso = Lasso(kind, self.strength)
            setting = {group: GroupSetting(cut, 1.0) for group, cut in CUTS.items()}
            penalty = train_with_lasso(
                model,
                partitions_of(blueprint_of(model), setting),
                lasso,
                self.stage(f"{base}-{self.named(kind)}"),
                self.recipe(self.steps[2]),
                teacher=self.base(base),
            )
            if penalty is not None:
                self.say(f"{self.data} {base} {kind}: gamma refreshed at steps {penalty.refreshed_at}")
            save_model(model, folder)
        return load_model(folder)

    def named(self, kind: str) -> str:
        """A penalty with its strength, for the names of files."""
        return kind if kind == NO_LASSO else f"{kind}-{self.strength:g}"

    def cells(self, base: str, kind: str, rates: Sequence[float], *, runs: bool) -> list[Cell]:
        """One model after the other, each pruned further from the last one: rates ascend.

        Those that are missing are made if `runs`; else they are left out.
        """
        found, before = [], None
        for rate in rates:
            name = f"{base}-{self.named(kind)}-{rate:g}"
            folder = self.work / "cells" / name
            if not (folder / "cell.json").exists():
                if not runs:
                    break
                model = self.prepared(base, kind) if before is None else load_model(before)
                recipe = self.recipe(self.steps[3] * (FIRST_SHARES if before is None else 1))
                cell = self.cell(model, base, kind, rate, name, recipe)
                save_model(model, folder)
                write_atomic(folder / "cell.json", json.dumps(asdict(cell), indent=2) + "\n")
                self.say(f"{self.data} {name}: validation {cell.validation:.4f}, test {cell.test:.4f}")
            found.append(Cell(**json.loads((folder / "cell.json").read_text())))
            before = folder
        return found

    def cell(self, model: nn.Module, base: str, kind: str, rate: float, name: str, recipe: Recipe) -> Cell:
        """Prune `model` in place, retrain and score it."""
        start = time.monotonic()
        pruned = prune(model, {group: GroupSetting(cut, rate) for group, cut in CUTS.items()})
        retrain(model, pruned, self.stage(name), recipe, teacher=self.base(base), name=name)
        metrics = self.metrics(model, pruned.architecture)
        return Cell(self.data, base, kind, rate, pruned.rate, *metrics, time.monotonic() - start, self.scale)


def run(
    output: Path,
    *,
    model: str,
    data: Path,
    work: Path,
    sets: Sequence[str],
    kinds: Sequence[str],
    bases: Sequence[str],
    scale: float,
    strength: float,
    dense: Path | None,
    quick: bool,
    runs: bool,
    say: Callable[[str], None],
) -> None:
    """Fill every cell, if `runs`, and write accuracy.json and accuracy.md into `output`."""
    rates = RATES[1::3] if quick else RATES
    results: dict[str, Any] = {"steps": STEPS, "strength": strength, "cells": [], "bases": []}
    table = [["data", "base", "penalty", "unpruned", *(f"{rate:g} times" for rate in rates)]]
    for name in sets:
        settings = SearchSettings(model=model, dataset=str(data / name), profile="cpu-1-thread")
        part = Accuracy(name, settings, work, scale, strength, dense and dense / name, say)
        for base in bases:
            if not (runs or part.has(base)):
                continue
            validation, test = part.metrics(part.base(base))
            results["bases"].append({"data": name, "base": base, "validation": validation, "test": test})
            for kind in kinds:
                cells = part.cells(base, kind, rates, runs=runs)
                results["cells"] += [asdict(cell) for cell in cells]
                short = sorted({f"{cell.scale:g} of the steps" for cell in cells if cell.scale != 1})
                table.append(
                    [
                        name,
                        base,
                        ", ".join([kind, *short]),
                        f"{100 * test:.2f}",
                        *(f"{100 * cell.test:.2f} ({100 * (cell.test - test):+.2f})" for cell in cells),
                        *["not run"] * (len(rates) - len(cells)),
                    ]
                )
    write_results(
        output,
        "accuracy_quick" if quick else "accuracy",
        results,
        table,
        "Test metric x 100, and its difference to the unpruned base, against the compression rate of the "
        "attention and feed-forward matrices. The base is MiniLM-L6, fine-tuned, or a student of 3 of its "
        "layers distilled from it. Two blocks along the hidden dimension, hard pruning a matrix at a time, "
        "each rate from the model of the one before, retraining with the base as teacher, the first of them "
        "twice as long. One seed; nothing was chosen on the test split.",
    )
