"""One cell: a method on a task and seed, from the dense checkpoint to engines scored on test.

    python -m benchmarks.front.cell FOLDER

The folder's `asked.json` says what; `cell.json` and `predictions.npz` are what came out. A cut-off
cell goes on where it was.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.dense import ROWS
from benchmarks.front.budget import point_epochs, within_budget
from benchmarks.front.score import choose
from benchmarks.spent import timed
from compresskit.bundle import load_engine
from compresskit.bundle.manifest import read_manifest
from compresskit.errors import CompresskitError
from compresskit.pipeline.bench import bench
from compresskit.pipeline.export import export
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.search import search
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.dense_predictions import DenseAnswers
from compresskit.pipeline.training.models import open_checkpoint
from compresskit.runs.atomic import write_atomic
from compresskit.runs.directory import RunDirectory
from compresskit.runs.jsonl import read_records
from compresskit.runs.records import FrontPoint
from compresskit.searchers.objectives import worth, worth_of
from compresskit.target.host import host_facts
from compresskit.target.profile import load_profile
from compresskit.tasks.metrics import prior
from compresskit.tasks.task import Task
from compresskit.training.cost import FORWARD


class Cell:
    """One cell in its folder; `asked` holds the settings of the search and the dense model."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: dict[str, Any] = json.loads((folder / "asked.json").read_text())
        settings = SearchSettings.from_json(self.asked["settings"])
        self.task: Task = read_task(settings, open_checkpoint(settings.model))
        left = self.asked["budget"] - self.asked["dense"]["full_steps"]
        self.for_points = left * self.asked["specialised"]
        self.settings = within_budget(settings, self.task, left - self.for_points)
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def run(self) -> None:
        with self.timed("search"):
            run = self.search()
        points = self.chosen(run)
        with self.timed("export"):
            engines = self.export(run, points)
        with self.timed("bench"):
            measured = bench(
                list(engines), baseline=self.asked["dense_engine"], profile=self.settings.profile, say=say
            ).to_json()
        latencies = {Path(engine["path"]): engine["latency_ms"]["p50"] for engine in measured["engines"]}
        speedups = {Path(ratio["engine"]): ratio for ratio in measured["ratios"]}
        rows = []
        for path, point in engines.items():
            manifest = read_manifest(path)
            rows.append(
                {
                    "engine": path.name,
                    "signature": manifest.signature,
                    "trial_id": point.trial_id,
                    "metric": point.metric,
                    "worth": worth_of(point),
                    "test_metric": manifest.test_metric,
                    "latency_ms": latencies[path],
                    "speedup": speedups[path]["speedup"],
                    "speedup_ci": speedups[path]["ci"],
                    "num_params": manifest.num_params,
                    "macs": manifest.macs,
                }
            )
        dense = read_manifest(self.asked["dense_engine"])
        searching, training = self.spent(run)
        np.savez_compressed(self.folder / "predictions.npz", **self.predictions(list(engines)))
        value = {
            **self.asked,
            "metric_name": self.task.metric_name,
            "prior": self.task.prior(self.task.test),
            "dense_test_metric": dense.test_metric,
            "dense_params": dense.num_params,
            "dense_latency_ms": latencies[Path(self.asked["dense_engine"])],
            "points": rows,
            "full_steps": {
                "dense": self.asked["dense"]["full_steps"],
                "training": training + self.for_points,
                "search": searching,
            },
            "seconds": {"dense": self.asked["dense"]["seconds"], **self.seconds},
            "failed": self.failed,
            "warnings": measured["warnings"],
            "processor": host_facts()["cpu"],
        }
        write_atomic(self.folder / "cell.json", json.dumps(value, indent=2) + "\n")

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        with timed(self.folder / "seconds.json", name) as self.seconds:
            yield

    def search(self) -> RunDirectory:
        """The search, in the dense engine's form of the graph: methods differ in what they prune alone."""
        path = self.folder / "run"
        if not (path / "run.json").exists():
            profile = load_profile(self.settings.profile).to_json()
            with RunDirectory.create(path, {**self.settings.to_json(), "profile": profile}) as run:
                run.update(variant=read_manifest(self.asked["dense_engine"]).variant)
        if not (path / "pareto.json").exists():
            search(None, path, resume=True, say=say)
        return RunDirectory.open(path)

    def chosen(self, run: RunDirectory) -> list[FrontPoint]:
        """The points to export, by the area that they dominate on validation."""
        front, dense = run.front(), run.front().dense
        points = [p for p in front.points if p.metric is not None and p.latency_ms is not None]
        of_dense = None if dense is None else worth_of(dense)
        assert dense is not None and dense.latency_ms is not None and of_dense is not None
        kept = choose(
            [dense.latency_ms / p.latency_ms for p in points if p.latency_ms],
            [worth_of(p) or 0.0 for p in points],
            self.prior(run),
            of_dense,
            self.asked["most"],
        )
        return [points[i] for i in kept]

    def prior(self, run: RunDirectory) -> float:
        """What one answer to every validation row is worth."""
        answers = DenseAnswers.of(run)
        assert answers is not None
        dense = answers.validation
        fidelity = prior(self.task.metric_name, self.task.train.labels, dense.answers)
        return worth(self.task.prior(self.task.validation), fidelity, dense.metric)

    def export(self, run: RunDirectory, points: list[FrontPoint]) -> dict[Path, FrontPoint]:
        engines: dict[Path, FrontPoint] = {}
        dense = run.front().dense
        assert dense is not None and dense.macs
        for point in points:
            share = (point.macs or 0) / dense.macs
            epochs = point_epochs(share, self.task, self.for_points / len(points))
            path = self.folder / "engines" / f"point-{point.idx}"
            try:
                if not path.exists():
                    export(run.path, path, pareto_idx=point.idx, finetune_epochs=epochs, say=say)
                engines[path] = point
            except CompresskitError as error:
                self.failed.append(f"{point.signature}: {error}")
        return engines

    def predictions(self, engines: list[Path]) -> dict[str, Any]:
        """Answers to test rows by engine, class ids or values; the labels, and the prior's answer."""
        labels = self.task.train.labels
        values, counts = np.unique(labels, return_counts=True)
        constant = labels.mean() if self.task.kind.is_regression else values[counts.argmax()]
        texts = [text if len(text) > 1 else text[0] for text in self.task.test.texts]
        found = {path.name: self.answers(path, texts) for path in engines}
        found["dense"] = self.answers(Path(self.asked["dense_engine"]), texts)
        return {**found, "labels": self.task.test.labels, "constant": constant}

    def answers(self, engine: Path, texts: list[Any]) -> npt.NDArray[Any]:
        logits: npt.NDArray[Any] = load_engine(engine, threads=1).predict(texts)
        return logits[:, 0] if self.task.kind.is_regression else logits.argmax(-1).astype(np.int16)

    def spent(self, run: RunDirectory) -> tuple[float, float]:
        """Full-step equivalents of the scoring of candidates, and of training."""
        front = run.front()
        assert front.dense is not None and front.dense.macs
        rows = len(self.task.search)
        scored = sum(record.macs or 0 for record in run.trials()) * rows
        scored += sum(point.macs or 0 for point in front.points) * len(self.task.validation)
        stages: dict[str, float] = {}
        for record in read_records(run.supernet / "progress.jsonl")[0]:
            if record.get("full_steps") is not None:
                stages[str(record["stage"])] = record["full_steps"]
        stages |= run.info.get("full_steps", {})  # untrained costs of a method, too
        training = sum(stages.values()) * self.settings.batch_size / ROWS
        return FORWARD * scored / front.dense.macs / ROWS, training


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    Cell(Path(sys.argv[1])).run()
