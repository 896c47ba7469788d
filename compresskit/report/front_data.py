"""What the scripts of the page draw: the front, all trials, curves and predictions as plain JSON."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import Any, Literal

from compresskit.architecture import Architecture
from compresskit.report.layers import shorten
from compresskit.report.loss import drop
from compresskit.report.speed import speedup
from compresskit.report.units import (
    count,
    interval,
    metric_label,
    milliseconds,
    percent_interval,
    points,
    signed_ends,
    signed_points,
    size,
    times,
)
from compresskit.report.verdict import Verdict
from compresskit.report.view import Curve, RunView
from compresskit.runs import FrontPoint, TrialRecord

# Name, column of a curve's rows, factor.
_DRAWN: tuple[tuple[str, Literal[1, 2], int], ...] = (("loss", 1, 1), ("metric", 2, 100))
# What stands on the horizontal axis: the first of these that was measured.
_COSTS = (("latency_ms", "latency, ms"), ("num_params", "parameters"), ("macs", "MACs"))


def front_data(view: RunView, verdict: Verdict) -> dict[str, Any]:
    """Points, dense model and trials with their place (metric times 100) and their facts in words."""
    shown = [*view.front.points, *([view.dense] if view.dense else [])]
    cost, title = next(
        ((name, label) for name, label in _COSTS if any(getattr(item, name) is not None for item in shown)),
        _COSTS[0],
    )
    label = metric_label(view.metric_name)
    return {
        "points": [_point(view, point, cost) for point in view.front.points if _is_placed(point, cost)],
        "dense": _point(view, view.dense, cost) if view.dense and _is_placed(view.dense, cost) else None,
        "trials": [_trial(view, trial, cost) for trial in view.trials if _is_placed(trial, cost)],
        "chosen": verdict.idx,
        "xTitle": title,
        "yTitle": label,
        "summary": f"Front of {len(view.front.points)} points: {label} against {title}. "
        "Arrow keys move from point to point; the table below holds the same figures.",
    }


def point_name(point: FrontPoint) -> str:
    return "Dense model" if point.idx is None else f"Point {point.idx}"


def _is_placed(item: FrontPoint | TrialRecord, cost: str) -> bool:
    return item.metric is not None and getattr(item, cost) is not None


def _point(view: RunView, point: FrontPoint, cost: str) -> dict[str, Any]:
    chosen = "--dense" if point.idx is None else f"--pareto-idx {point.idx}"
    return {
        "idx": point.idx,
        "name": point_name(point),
        "x": getattr(point, cost),
        "y": None if point.metric is None else round(point.metric * 100, 4),
        "ci": list(point.latency_ci_ms) if cost == "latency_ms" and point.latency_ci_ms else None,
        "facts": _facts(view, point),
        "kept": _kept(point),
        "picture": "layers-dense" if point.idx is None else f"layers-{point.idx}",
        "command": f"compresskit export {quote(str(view.path))} \\\n  {chosen} --output ENGINE",
    }


def _trial(view: RunView, trial: TrialRecord, cost: str) -> dict[str, Any]:
    return {
        "name": f"Trial {trial.trial_id}",
        "x": getattr(trial, cost),
        "y": None if trial.metric is None else round(trial.metric * 100, 4),
        "facts": _facts(view, trial),
        "kept": _kept(trial),
    }


def _facts(view: RunView, item: FrontPoint | TrialRecord) -> list[tuple[str, str]]:
    name = view.metric_name.replace("_", " ")
    found = [("latency", milliseconds(item.latency_ms))]
    if item.latency_ci_ms is not None:
        found.append(("95 % interval", f"{interval(item.latency_ci_ms)} ms"))
    dense = view.dense
    if isinstance(item, FrontPoint) and item.idx is not None:
        found.append(("speed-up over dense", times(speedup(item, dense))))
    found.append((name, points(item.metric)))
    if isinstance(item, FrontPoint):
        found += _known(item, dense)
    if item.fidelity is not None:
        found.append(("fidelity to dense", points(item.fidelity)))
    found += [("parameters", count(item.num_params)), ("MACs", count(item.macs))]
    if item.size_bytes is not None:
        found.append(("size", size(item.size_bytes)))
    found.append(("precision", item.precision))
    return found


def _known(point: FrontPoint, dense: FrontPoint | None) -> Iterator[tuple[str, str]]:
    """Rows, intervals and test figures, as far as there are any."""
    if point.metric_ci is not None:
        counted = "" if point.rows is None else f", {point.rows:,} rows"
        yield f"95 %{counted}", percent_interval(point.metric_ci)
    if point.idx is not None and (lost := drop(point, dense)) is not None:
        yield "against dense", f"{signed_points(-lost)} points"
    if point.difference_ci is not None:
        yield "paired 95 %", signed_ends([100 * end for end in point.difference_ci], 2)
    if point.test is not None:
        changed = f" ({point.test.changed})" if point.test.changed else ""
        yield f"test{changed}", points(point.test.metric)
        yield f"95 %, {point.test.rows:,} test rows", percent_interval(point.test.metric_ci)
    for name, said in point.judges.items():
        yield f"{name}, {metric_label(said.metric_name)}", points(said.metric)
        if said.difference_ci is not None:
            yield f"{name}, paired 95 %", signed_ends([100 * end for end in said.difference_ci], 2)
    if point.marks:
        yield "latency not to be trusted", "; ".join(point.marks)


def _kept(item: FrontPoint | TrialRecord) -> str:
    return f"Keeps {shorten(Architecture.from_json(item.architecture))}."


def curve_data(curves: tuple[Curve, ...]) -> list[dict[str, Any]]:
    """One chart for each stage and quantity that was recorded: rows of [step, value]."""
    charts = []
    for curve in curves:
        for kind, column, factor in _DRAWN:
            values = [(row[0], row[column]) for row in curve.rows]
            rows = [[step, round(value * factor, 5)] for step, value in values if value is not None]
            if len(rows) < 2:
                continue
            title = f"{curve.stage}: {kind}" + ("" if factor == 1 else " \N{MULTIPLICATION SIGN} 100")
            charts.append(
                {
                    "kind": kind,
                    "title": title,
                    "of": curve.of,
                    "rows": rows,
                    "summary": f"{title} from {rows[0][1]} to {rows[-1][1]} over {rows[-1][0]} steps",
                }
            )
    return charts


def predicted_data(view: RunView) -> dict[str, Any] | None:
    """Pairs of predicted and measured ms, and their mean relative error in words."""
    pairs = [pair for pair in view.predicted if pair[1] > 0]
    if len(pairs) < 2:
        return None
    errors = [abs(guess - found) / found for guess, found, _ in pairs]
    summary = (
        f"{len(pairs)} latencies; mean error {sum(errors) / len(errors) * 100:.1f} %, "
        f"largest {max(errors) * 100:.1f} %."
    )
    return {"pairs": [list(pair) for pair in pairs], "summary": summary}
