"""What a report shows of a run, read once from its directory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from compresskit.report.bench_file import read_bench
from compresskit.runs import Front, FrontPoint, RunDirectory, TrialRecord
from compresskit.runs.changes import read_changes, read_examples
from compresskit.runs.jsonl import read_records
from compresskit.runs.records import profile_title
from compresskit.runs.schema import ProgressLine

_EMPTY = Front((), ())
_LONGEST_CURVE = 400
NOTES = "Notes on model and data"  # the title of `RunView.notes`

# Warnings that differ in their figures alone are of one kind and shown once.
_NUMBER = re.compile(r"\d+(?:\.\d+)?|faster|slower")


@dataclass(frozen=True)
class Curve:
    """Training of one stage: rows of (step, loss or None, metric or None), and seconds in all."""

    stage: str
    of: int
    rows: tuple[tuple[int, float | None, float | None], ...]
    seconds: float


@dataclass(frozen=True)
class RunView:
    """A run as recorded. `predicted` holds (predicted ms, measured ms, label) and may be empty.

    `notes`: what was dropped, cut or chosen of model and data. `changes` and `examples`: see `runs.changes`;
    None where there are none, or none are to be shown.
    """

    path: Path
    info: Mapping[str, Any]
    front: Front
    trials: tuple[TrialRecord, ...]
    curves: tuple[Curve, ...]
    predicted: tuple[tuple[float, float, str], ...]
    conditions: Mapping[str, Any]
    bench: Mapping[str, Any] | None
    changes: Mapping[str, Any] | None
    examples: Mapping[str, Any] | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def dense(self) -> FrontPoint | None:
        return self.front.dense

    @property
    def metric_name(self) -> str:
        named = [point.metric_name for point in (*self.front.points, self.front.dense) if point]
        return named[0] if named else str(self.info.get("metric_name") or "metric")

    @property
    def profile_name(self) -> str:
        """Name of the device profile; a run stores the whole profile."""
        return profile_title(self.info["settings"].get("profile"))

    @property
    def title(self) -> str:
        settings = self.info["settings"]
        model, dataset = (_last_part(settings.get(key)) for key in ("model", "dataset"))
        return f"{model} on {dataset}" if model and dataset else model or self.path.resolve().name


def load_view(path: Path | str, bench: Path | str | None = None, *, examples: bool = False) -> RunView:
    """Read the run in `path`; `bench` is a JSON result of `compresskit bench` (default: RUN/bench.json).

    `examples`: texts of validation rows are read, too. Raises RunError when the run, the bench file or these
    texts are missing or damaged.
    """
    run = RunDirectory.open(path)
    front = run.front() if (run.path / "pareto.json").exists() else _EMPTY
    trials = tuple(run.trials())
    latencies = run.latencies()
    file = Path(bench) if bench is not None else run.path / "bench.json"
    result = read_bench(file) if bench is not None or file.exists() else None
    return RunView(
        path=run.path,
        info=run.info,
        front=front,
        trials=trials,
        curves=tuple(_curves(run.supernet / "progress.jsonl")),
        predicted=tuple(_predicted(latencies, front, result)),
        conditions=_conditions(latencies),
        bench=result,
        changes=read_changes(run.path),
        examples=read_examples(run.path) if examples else None,
        notes=tuple(map(str, run.info.get("notes") or ())),
        warnings=tuple(_warnings(run, front, trials, latencies)),
    )


def search_latency(front: Front, signature: str | None, precision: str | None) -> tuple[str, float] | None:
    """(label, ms) that the search recorded for an engine of this shape and precision."""
    candidates = [*front.points, *([front.dense] if front.dense else [])]
    for point in candidates:
        if (point.signature, point.precision) == (signature, precision) and point.latency_ms is not None:
            return ("dense" if point.idx is None else f"point {point.idx}"), point.latency_ms
    return None


def _predicted(
    latencies: Iterable[Mapping[str, Any]], front: Front, bench: Mapping[str, Any] | None
) -> Iterable[tuple[float, float, str]]:
    for record in latencies:
        found = record.get("corrected_median_ms", record.get("median_ms"))
        if record.get("predicted_ms") is not None and found is not None:
            yield float(record["predicted_ms"]), float(found), str(record.get("signature", ""))
    for engine in bench["engines"] if bench else ():
        known = search_latency(front, engine.get("signature"), engine.get("precision"))
        if known is not None:
            yield known[1], float(engine["latency_ms"]["p50"]), f"{known[0]}, search against bench"


def _conditions(latencies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    for record in latencies:
        found = record.get("conditions")
        if isinstance(found, Mapping) and found:
            return dict(found)
    return {}


def _warnings(
    run: RunDirectory, front: Front, trials: Sequence[TrialRecord], latencies: Sequence[Mapping[str, Any]]
) -> Iterable[str]:
    yield from run.warnings
    status = run.info.get("status")
    if status != "completed":
        yield f"The run is not finished (status: {status}); what follows is what it has so far."
    if not front.points:
        yield "The run has no front yet."
    yield from (str(run.info[note]) for note in ("infeasible", "unsteady") if run.info.get(note))
    failed = Counter(str(trial.error).splitlines()[0] for trial in trials if not trial.is_completed)
    for message, times in failed.most_common():
        yield f"{times} of {len(trials)} trials failed: {message}"
    shown = {(point.signature, point.precision) for point in (*front.points, front.dense) if point}
    # A trial is measured for no longer than it takes to rank it; only what is shown has to be sure.
    if shown:
        latencies = [each for each in latencies if (each.get("signature"), each.get("precision")) in shown]
    said = [str(text) for record in latencies for text in record.get("warnings") or ()]
    kinds = Counter(_NUMBER.sub("#", text) for text in said)
    for kind, times in kinds.most_common():
        example = next(text for text in said if _NUMBER.sub("#", text) == kind)
        yield f"{example} ({times} of {len(latencies)} measurements)"


def _curves(file: Path) -> Iterable[Curve]:
    """Curves by stage. A resumed stage repeats steps: the last record of a step stands."""
    stages: dict[str, dict[int, dict[str, Any]]] = {}
    seconds: dict[str, list[float]] = {}
    for record in read_records(file, ProgressLine)[0]:
        stage = record["stage"]
        stages.setdefault(stage, {})[record["step"]] = record
        seconds.setdefault(stage, []).append(float(record.get("seconds") or 0.0))
    for stage, records in stages.items():
        steps = sorted(records)
        thinning = -(-len(steps) // _LONGEST_CURVE)
        kept = [
            step
            for place, step in enumerate(steps)
            if place % thinning == 0 or step == steps[-1] or records[step].get("metric") is not None
        ]
        rows = tuple((step, records[step].get("loss"), records[step].get("metric")) for step in kept)
        yield Curve(stage, int(records[steps[-1]].get("of") or steps[-1]), rows, _spent(seconds[stage]))


def _spent(seconds: Sequence[float]) -> float:
    """In all sessions: a resumed one counts from 0 again."""
    ends = (before for before, after in pairwise(seconds) if after < before)
    return sum(ends) + seconds[-1]


def _last_part(value: object) -> str:
    text = str(value or "").rstrip("/")
    return Path(text).name if Path(text).is_absolute() or text.startswith(".") else text
