"""Searches by the command line, killed at given moments and resumed."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compresskit.data.demo_text import write_demo_data
from compresskit.pipeline.demo import PROFILE, make_model
from compresskit.runs.jsonl import read_records

ROWS = 800
TRIALS = 16
# The command, with a checkpoint each second: these trainings end before the first one would be due.
_PROGRAM = (
    "from compresskit.training import progress; progress.SAVE_EVERY_SECONDS = 1.0\n"
    "from compresskit.cli.app import run; run()"
)
# What a record of latencies.jsonl has from other measurements: the state that all are corrected to.
_CORRECTED = {"corrected_median_ms", "corrected_ci_ms", "reference_level_ms", "marks", "speedup"}
# Latencies steer nothing, so that a resumed search proposes what an undisturbed one does.
_SETTINGS = "--epochs 2 --max-length 32 --learning-rate 5e-4 --searcher random --proposals 1 --seed 0"


@dataclass(frozen=True)
class Snapshot:
    """What stands in a run's records, as lines."""

    trials: tuple[str, ...]
    latencies: tuple[str, ...]

    @classmethod
    def of(cls, run: Path) -> Snapshot:
        return cls(_lines(run / "trials.jsonl"), _lines(run / "latencies.jsonl"))

    @property
    def trial_ids(self) -> list[int]:
        return [json.loads(line)["trial_id"] for line in self.trials]

    @property
    def measured_keys(self) -> list[str]:
        """The key of each measurement; a record that only corrects an earlier one is none."""
        keys, seen = [], set()
        for number, line in enumerate(self.latencies):
            record = json.loads(line)
            raw = json.dumps({name: record[name] for name in sorted(record.keys() - _CORRECTED)})
            if raw not in seen or line in self.latencies[:number]:
                keys.append(record["key"])
            seen.add(raw)
        return keys


def _lines(file: Path) -> tuple[str, ...]:
    """Complete records; a line that a kill cut short is none."""
    return tuple(json.dumps(record, sort_keys=True) for record in read_records(file)[0])


@dataclass(frozen=True)
class Attempt:
    """One start of the command: how long it ran, its exit status, and the last that it said.

    `start_up` is how long it took to say what it works on, or to end.
    """

    seconds: float
    start_up: float
    status: int
    said: str


def make_inputs(folder: Path, rows: int = ROWS) -> None:
    """`data`, `model` and `profile.toml`: the demo's, with fewer rows."""
    write_demo_data(folder / "data", seed=0, rows=rows)
    make_model(folder)
    (folder / "profile.toml").write_text(PROFILE, encoding="utf-8")


def attempt(inputs: Path, run: Path, *, trials: int = TRIALS, kill_after: float | None = None) -> Attempt:
    """Start the search in `run`, or go on with it; SIGKILL after so many seconds unless it has ended."""
    words = ["search", "--output", str(run)]
    if (run / "run.json").exists():
        words.append("--resume")
    else:
        for option, name in (("--model", "model"), ("--dataset", "data"), ("--profile", "profile.toml")):
            words += [option, str(inputs / name)]
        words += ["--trials", str(trials), *_SETTINGS.split()]
    start = time.monotonic()
    lines, start_up = [], None
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"},
    ) as process:
        timer = threading.Timer(math.inf if kill_after is None else kill_after, process.kill)
        if kill_after is not None:
            timer.start()
        assert process.stderr is not None
        for line in process.stderr:
            said = line.strip()
            if start_up is None and stage_of(said) != START_UP:
                start_up = time.monotonic() - start
            lines += [said] if said and not said.startswith("the whole search") else []
        status = process.wait()
        timer.cancel()
    seconds = time.monotonic() - start
    return Attempt(seconds, start_up or seconds, status, lines[-1] if lines else "")


def stage_of(said: str) -> str:
    """In which part of a search this was the last that it said."""
    for words, stage in _STAGES.items():
        if said.startswith(words):
            return stage
    return START_UP


START_UP = "start-up"
_STAGES: Mapping[str, str] = {
    "training dense": "dense model",
    "dense": "dense model",
    "order of importance": "dense model",
    "scoring dense": "dense model",
    "training supernet": "super-network",
    "supernet": "super-network",
    "exporting": "form of the graph",
    "choosing": "form of the graph",
    "search:": "search",
    "trial": "search",
    "scoring": "final front",
    "warning": "final front",
}


def front_of(run: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((run / "pareto.json").read_bytes())
    return value
