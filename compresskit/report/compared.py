"""Runs side by side: their fronts at the same losses, and what forbids to compare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from compresskit.errors import ConfigurationError
from compresskit.report.front_so_far import front_and_verdict
from compresskit.report.overview import within
from compresskit.report.speed import speedup
from compresskit.report.units import NOTHING, milliseconds, points, times
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import Front, FrontPoint, profile_title

DROPS = (0.5, 1.0, 2.0, 5.0)  # points of metric x 100


def compare_runs(runs: Sequence[RunDirectory]) -> dict[str, Any]:
    """`runs`: of each its dense model and, at each of `DROPS`, its fastest point; `notes`: what differs.

    `on_joint_front` counts the points of a run that no point of any other dominates; None where metrics or
    latencies are not of one kind. ConfigurationError for fewer than two runs.
    """
    if len(runs) < 2:
        raise ConfigurationError(f"{len(runs)} run given; name two or more to compare.")
    fronts = [front_and_verdict(run)[0] for run in runs]
    notes, comparable = _differences(runs, fronts)
    joint = _joint(fronts) if comparable else [None] * len(runs)
    return {
        "drops": list(DROPS),
        "runs": [_described(*each) for each in zip(runs, fronts, joint, strict=True)],
        "notes": notes,
    }


def compared_rows(found: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Titles and cells, a line a run."""
    at = [f"within {drop:g} point{'s' * (drop != 1)}" for drop in found["drops"]]
    rows = []
    for run in found["runs"]:
        cells = [
            NOTHING if each is None else f"{times(each['speedup'])} (#{each['idx']})" for each in run["at"]
        ]
        joint = NOTHING if run["on_joint_front"] is None else f"{run['on_joint_front']} of {run['points']}"
        dense = [points(run["dense"]["metric"]), milliseconds(run["dense"]["latency_ms"])]
        rows.append([run["path"], *dense, *cells, joint])
    return ["run", "dense metric", "dense latency", *at, "on joint front"], rows


def _described(run: RunDirectory, front: Front, joint: int | None) -> dict[str, Any]:
    dense = front.dense
    at: list[dict[str, Any] | None] = []
    for drop in DROPS:
        best = within(front, drop)
        if best is None:
            at.append(None)
            continue
        known = {"idx": best.idx, "metric": best.metric, "latency_ms": best.latency_ms}
        at.append({**known, "speedup": speedup(best, dense)})
    return {
        "path": str(run.path),
        **{name: run.settings.get(name) for name in ("model", "dataset")},
        "profile": profile_title(run.settings.get("profile")),
        "method": run.settings.get("method", "nas"),
        "status": run.info["status"],
        "metric_name": run.info.get("metric_name"),
        "dense": {"metric": dense and dense.metric, "latency_ms": dense and dense.latency_ms},
        "points": len(front.points),
        "at": at,
        "on_joint_front": joint,
    }


def _differences(runs: Sequence[RunDirectory], fronts: Sequence[Front]) -> tuple[list[str], bool]:
    """Notes, and whether metrics and latencies of the runs may stand on one front."""
    metrics = [run.info.get("metric_name") for run in runs]
    data, models = _known(runs, "data", "dataset"), _known(runs, "model", "model")
    profiles = [run.settings.get("profile") for run in runs]
    hosts = [_host(run) for run in runs]
    told: list[tuple[Sequence[object], Callable[[], str]]] = [
        (metrics, lambda: f"metrics differ ({_listed(metrics)}): losses are of each run's own metric"),
        (data, lambda: "the runs are of different data or splits: their metrics cannot be compared"),
        (profiles, lambda: f"profiles differ ({_listed(map(profile_title, profiles))}): so do latencies"),
        (hosts, lambda: f"latencies were measured on different machines ({_listed(hosts)})"),
    ]
    notes = [words() for values, words in told if any(value != values[0] for value in values)]
    comparable = not notes and all(front.dense for front in fronts)
    if any(model != models[0] for model in models):
        notes.append("the runs started from different models: each speed-up is over its own dense model")
    unfinished = [str(run.path) for run in runs if run.info["status"] != "completed"]
    if unfinished:
        notes.append(f"not ended: {', '.join(unfinished)}; their figures are those so far")
    return notes, comparable


def _known(runs: Sequence[RunDirectory], kind: str, setting: str) -> list[object]:
    """Fingerprints of what the runs were made from; where one kept none, their names of it."""
    found = [(run.info.get("fingerprints") or {}).get(kind) for run in runs]
    return found if all(found) else [run.settings.get(setting) for run in runs]


def _host(run: RunDirectory) -> str:
    """The processor that the last latency was measured on; "" where none was."""
    measured = run.latencies()
    host = measured[-1].get("conditions", {}).get("host", {}) if measured else {}
    return str(host.get("cpu", ""))


def _listed(values: Any) -> str:
    return ", ".join(dict.fromkeys(str(value) for value in values))


def _joint(fronts: Sequence[Front]) -> list[int]:
    """Of each front how many points no other point dominates, by metric and latency."""
    costs = [np.array([_costs(point) for point in front.points]).reshape(-1, 2) for front in fronts]
    everyone = np.concatenate(costs)
    kept = []
    for own in costs:
        no_worse = np.all(everyone[None] <= own[:, None], axis=2)
        better = np.any(everyone[None] < own[:, None], axis=2)
        kept.append(int(np.sum(~np.any(no_worse & better, axis=1))))
    return kept


def _costs(point: FrontPoint) -> tuple[float, float]:
    """Both are to be small; what is not known dominates nothing."""
    latency = np.inf if point.latency_ms is None else point.latency_ms
    return latency, np.inf if point.metric is None else -point.metric
