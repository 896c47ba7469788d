"""What the raw figures come to, held against what is asked of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.busy.gate import FARTHEST, NEAREST, verdicts
from benchmarks.latency.busy.loads import CONDITIONS
from benchmarks.latency.busy.truth import most_foreign_cores, true_speedups
from benchmarks.latency.subjects import percent
from benchmarks.results import write_results

_NEAR = 0.10  # of the truth, or marked
# Most marked, median error and half-width that are permitted; least of a gate's tries that are decided.
_MARKED = {"quiet": 0.0, "loops": 0.25, "crowd": 0.5, "flood": 0.5, "quota": 0.5}
_ERROR = {"quiet": 0.03, "loops": 0.03, "crowd": 0.05, "flood": 0.05, "quota": 0.05}
_HALF_WIDTH = {"quiet": 0.03, "loops": 0.06, "crowd": 0.06, "flood": 0.06, "quota": 0.06}
_COVERED = 0.9
# Spread of the truth between processes, and cores that others kept busy, of a machine that is quiet.
_SPREAD, _FOREIGN_CORES = 0.02, 0.15
_COST = 1.3  # times what an earlier version took
_DECIDED = {"quiet": 0.8, "loops": 0.5}


def write(work: Path, output: Path, earlier: Path | None) -> None:
    """Steps that were not run are left out; `earlier` is quiet.json of an earlier version."""
    taken = [path for path in (work / "truth-before.json", work / "truth-after.json") if path.exists()]
    truth, spread = true_speedups(*taken)
    found = {name: judged(_read(work / f"{name}.json"), truth) for name in CONDITIONS if _there(work, name)}
    gates = {
        name: verdicts(_read(work / f"gate-{name}.json")["tries"])
        for name in _DECIDED
        if _there(work, f"gate-{name}")
    }
    head = [
        "condition",
        "off by over 10 %, unmarked",
        "marked",
        "median error",
        "largest",
        "unmarked: largest",
    ]
    head += ["half-width", "holds the truth", "each alone: median error", "seconds"]
    rows = [head, *([CONDITIONS[name], *cells(each)] for name, each in found.items())]
    missed = [text for name, each in found.items() for text in shortfalls(name, each)]
    missed += [text for name, each in gates.items() for text in gate_shortfalls(name, each)]
    cost = None
    if earlier is not None and "quiet" in found:
        now = found["quiet"]["candidates_seconds"] + found["quiet"]["front_seconds"]
        before = _read(earlier)
        cost = now / (before["candidates_seconds"] + before["front_seconds"])
        if cost > _COST:
            missed.append(f"takes {cost:.2f} times as long as before")
    foreign = most_foreign_cores(*taken)
    if foreign > _FOREIGN_CORES or np.median(spread) > _SPREAD:
        missed.append(
            f"the machine was not quiet when the truth was taken: others kept {foreign:.1f} cores busy"
        )
    said = "; ".join(f"{CONDITIONS[name]}: {_spelled(each)}" for name, each in gates.items())
    write_results(
        output,
        "busy",
        {
            "truth": truth,
            "truth_spread": spread,
            "truth_foreign_cores": foreign,
            "conditions": found,
            "gates": gates,
            "times_as_long": cost,
            "shortfalls": missed,
        },
        rows,
        f"{len(truth)} architectures of MiniLM-L6, {min(truth):.1f} to {max(truth):.1f} times as fast as the "
        "dense model, measured as a search does. The truth is taken in interleaved bursts on the quiet "
        "machine with warm caches; between processes it spreads by "
        f"{percent(float(np.median(spread)))} (median). "
        "Half-width and coverage are of unmarked intervals. `bench --fail-if` with limits "
        f"{percent(NEAREST, 0)} to {percent(FARTHEST, 0)} from the truth: {said or 'not run'}. "
        + ("" if cost is None else f"On the quiet machine all takes {cost:.2f} times as long as before. ")
        + f"Short of what is asked: {'; '.join(missed) or 'nothing'}.",
    )


def judged(measured: dict[str, Any], truth: list[float]) -> dict[str, Any]:
    """Errors of one condition: of the front, and of candidates measured alone."""
    front = measured["front"]
    errors = [abs(each["speedup"] / true - 1) for each, true in zip(front, truth, strict=True)]
    marked = [bool(each["marks"]) for each in front]
    trusted = [
        (each, true, error)
        for each, true, error, mark in zip(front, truth, errors, marked, strict=True)
        if not mark
    ]
    dense, *others = (each["latency_ms"] for each in measured["candidates"])
    alone = [abs(dense / other / true - 1) for other, true in zip(others, truth, strict=True)]
    return {
        "errors": errors,
        "marked": marked,
        "marks": [each["marks"] for each in front],
        "off_unmarked": sum(error > _NEAR for _, _, error in trusted),
        "marked_share": float(np.mean(marked)),
        "median_error": float(np.median(errors)),
        "largest_error": max(errors),
        "largest_unmarked": max((error for _, _, error in trusted), default=0.0),
        "half_width": _median([(e["ci"][1] - e["ci"][0]) / 2 / e["speedup"] for e, _, _ in trusted]),
        "covered": [each["ci"][0] <= true <= each["ci"][1] for each, true, _ in trusted],
        "median_error_alone": float(np.median(alone)),
        "candidates_seconds": measured["candidates_seconds"],
        "front_seconds": measured["front_seconds"],
    }


def cells(found: dict[str, Any]) -> list[str]:
    covered = found["covered"]
    return [
        f"{found['off_unmarked']} of {len(found['errors'])}",
        percent(found["marked_share"], 0),
        percent(found["median_error"]),
        percent(found["largest_error"]),
        percent(found["largest_unmarked"]),
        "-" if found["half_width"] is None else percent(found["half_width"]),
        f"{sum(covered)} of {len(covered)}",
        percent(found["median_error_alone"]),
        f"{found['candidates_seconds']:.0f} + {found['front_seconds']:.0f}",
    ]


def shortfalls(name: str, found: dict[str, Any]) -> list[str]:
    """What one condition is short of."""
    missed = []
    if found["off_unmarked"]:
        missed.append(f"{found['off_unmarked']} speed-ups are off by more than {percent(_NEAR, 0)}, unmarked")
    for what, value, most in (
        ("marked", found["marked_share"], _MARKED[name]),
        ("median error", found["median_error"], _ERROR[name]),
        ("half-width", found["half_width"], _HALF_WIDTH[name]),
    ):
        if value is not None and value > most:
            missed.append(f"{what} {percent(value)} is above {percent(most)}")
    if found["covered"] and np.mean(found["covered"]) < _COVERED:
        share = percent(float(np.mean(found["covered"])), 0)
        missed.append(f"{share} of unmarked intervals hold the truth, not {percent(_COVERED, 0)}")
    return [f"{CONDITIONS[name]}: {text}" for text in missed]


def gate_shortfalls(name: str, found: dict[str, int]) -> list[str]:
    missed = [f"{found[kind]} {kind}" for kind in ("false passes", "false fails") if found[kind]]
    if found["decided"] < _DECIDED[name] * found["tries"]:
        missed.append(f"only {found['decided']} of {found['tries']} tries decided")
    return [f"gate, {CONDITIONS[name]}: {text}" for text in missed]


def _spelled(found: dict[str, int]) -> str:
    return (
        f"{found['decided']} of {found['tries']} decided, {found['false passes']} false passes, "
        f"{found['false fails']} false fails"
    )


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None


def _there(work: Path, name: str) -> bool:
    return (work / f"{name}.json").exists()


def _read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text())
    return value
