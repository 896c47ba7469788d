"""A run in one line: what was searched, how far it got, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from compresskit.errors import CompresskitError, RunError
from compresskit.report.front_so_far import front_and_verdict
from compresskit.report.speed import speedup
from compresskit.report.units import NOTHING, metric_words, milliseconds, points, size, times
from compresskit.runs.directory import RunDirectory
from compresskit.runs.pruned import size_of
from compresskit.runs.records import Front, FrontPoint, profile_title
from compresskit.searchers.front import select_point

WITHIN = 1.0  # points that the fastest point may lose
LOSES = ("ended", "profile", "method", "data", "size", "model")


@dataclass(frozen=True)
class Overview:
    """A run as `runs list` shows it. What is not known is None; `error` says why a run cannot be read.

    `idx`, `speedup` and `metric` are those of the fastest point within one point of the dense model.
    """

    path: str
    status: str
    model: str = ""
    dataset: str = ""
    profile: str = ""
    method: str = ""
    trials: int = 0
    points: int = 0
    metric_name: str = ""
    dense_metric: float | None = None
    dense_latency_ms: float | None = None
    idx: int | None = None
    speedup: float | None = None
    metric: float | None = None
    size_bytes: int = 0
    started: str | None = None
    ended: str | None = None
    pruned: str | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def find_runs(folders: Iterable[Path | str]) -> list[Path]:
    """The runs in `folders` and below them, in order of their names; RunError for a folder that is none."""
    found: list[Path] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise RunError(f"{folder} is not a folder; name one that holds runs.")
        found += [path for path in _below(folder) if path not in found]
    return found


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders.sort()
        if "run.json" in files:
            folders.clear()  # a run holds no further ones
            yield Path(place)


def overview_of(path: Path) -> Overview:
    """Of a run that cannot be read, the error."""
    try:
        return overview(RunDirectory.open(path))
    except CompresskitError as error:
        return Overview(str(path), "damaged", size_bytes=size_of(path), error=str(error))


def overview(run: RunDirectory) -> Overview:
    """Raises RunError where a file of the run is damaged."""
    settings, info = run.settings, run.info
    moments: dict[str, Any] = {name: info.get(name) for name in ("started", "ended", "pruned")}
    found = Overview(
        path=str(run.path),
        status=str(info["status"]),
        model=str(settings.get("model") or ""),
        dataset=str(settings.get("dataset") or ""),
        profile=profile_title(settings.get("profile")),
        method=str(settings.get("method", "nas")),
        trials=len(run.trials()),
        metric_name=str(info.get("metric_name") or ""),
        dense_metric=info.get("dense_metric"),
        size_bytes=size_of(run.path),
        **moments,
    )
    try:
        front, _ = front_and_verdict(run)
    except RunError:  # no trial is completed yet
        return found
    best, dense = within(front, WITHIN), front.dense
    known: dict[str, Any] = {"points": len(front.points)}
    if dense is not None:
        known |= {"dense_metric": dense.metric, "dense_latency_ms": dense.latency_ms}
    if best is not None:
        known |= {"idx": best.idx, "speedup": speedup(best, dense), "metric": best.metric}
    return replace(found, **known)


def within(front: Front, drop: float) -> FrontPoint | None:
    """The fastest point that loses at most `drop` points; None where none does."""
    try:
        return select_point(front, max_drop=drop)
    except CompresskitError:
        return None


def described(found: Overview) -> dict[str, str]:
    """Names and words of all that is known."""
    searched = f"{found.trials} trials, {found.points} points on the front"
    metric = metric_words(found.metric_name or "metric")
    lines = {
        "run": found.path,
        "status": found.status,
        "model": found.model,
        "data": found.dataset,
        "profile": found.profile,
        "method": found.method,
        "searched": searched,
        "dense model": f"{metric} {points(found.dense_metric)}, {milliseconds(found.dense_latency_ms)}",
        "size": size(found.size_bytes),
        "started": found.started or NOTHING,
        "ended": found.ended or NOTHING,
    }
    if found.idx is not None:
        lines["within 1 point"] = (
            f"point {found.idx}, {times(found.speedup)} as fast, {metric} {points(found.metric)}"
        )
    if found.pruned is not None:
        lines["networks deleted"] = found.pruned
    return lines


def overview_rows(found: Sequence[Overview]) -> tuple[list[str], list[list[str]]]:
    """Titles and cells, a line a run."""
    head = ["run", "status", "model", "data", "profile", "method", "trials", "dense", "within 1 point"]
    rows = []
    for each in found:
        best = NOTHING if each.speedup is None else f"{times(each.speedup)} ({points(each.metric)})"
        names = [Path(name).name or name for name in (each.model, each.dataset)]
        figures = [str(each.trials), points(each.dense_metric), best, size(each.size_bytes)]
        row = [each.path, each.status, *names, each.profile, each.method, *figures]
        rows.append([*row, (each.ended or NOTHING)[:16].replace("T", " ")])
    return [*head, "size", "ended"], rows
