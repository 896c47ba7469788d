"""Earlier bench results in one file, one JSON object a line, and what changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compresskit.report.bench_file import check_bench
from compresskit.report.bench_text import marks_of
from compresskit.report.page import flatten
from compresskit.report.units import milliseconds, signed_percent
from compresskit.runs.fields import Fields
from compresskit.runs.jsonl import append_record, read_records
from compresskit.runs.schema import utc_now

# Conditions that differ from minute to minute and say nothing about comparability.
_VOLATILE = {"time", "clock", "load", "temperature", "frequency", "mhz", "free", "uptime", "pid"}


def read_history(path: Path) -> list[Fields]:
    """All results in `path`, oldest first; none when it is absent. RunError names a damaged line."""
    records = read_records(path)[0]
    for record in records:
        check_bench(record)
    return records


def append_history(path: Path, result: Mapping[str, Any]) -> None:
    """Append a result, with the time in UTC. RunError when the disk refuses."""
    now = utc_now()
    keys = ("profile", "engines", "ratios", "conditions", "warnings", "marks")
    kept = {key: result[key] for key in keys}
    append_record(path, {"time": now, **kept})


def changes_since(history: Sequence[Mapping[str, Any]], result: Mapping[str, Any]) -> list[str]:
    """One line for each engine that an earlier bench with the same profile settings measured.

    A change is called one only where both intervals lie apart and neither figure bears a mark.
    """
    lines = []
    for engine in result["engines"]:
        earlier = _last(history, str(engine["path"]), result["profile"])
        if earlier is not None:
            record, before = earlier
            differences = _differences(record.get("conditions", {}), result["conditions"])
            busy = bool(marks_of(result, engine) or marks_of(record, before))
            lines.append(_line(engine, before, str(record.get("time")), differences, busy))
    return lines


def _last(
    history: Sequence[Mapping[str, Any]], path: str, profile: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The latest record of the engine under this profile, and the engine in it."""
    for record in reversed(history):
        if record.get("profile", {}).get("key") != profile["key"]:
            continue
        for engine in record.get("engines", ()):
            if engine.get("path") == path:
                return record, engine
    return None


def _line(
    now: Mapping[str, Any], before: Mapping[str, Any], when: str, differences: Sequence[str], busy: bool
) -> str:
    old, new = before["latency_ms"], now["latency_ms"]
    apart = not busy and (new["ci"][1] < old["ci"][0] or old["ci"][1] < new["ci"][0])
    change = new["p50"] / old["p50"] - 1
    verdict = f"{signed_percent(change)}, " + ("faster" if change < 0 else "slower")
    text = f"{now['path']}: median {milliseconds(old['p50'])} on {when}, now {milliseconds(new['p50'])}: " + (
        verdict if apart else "no change shown"
    )
    if now.get("sha256") != before.get("sha256"):
        text += "; the file is another one"
    if busy:
        text += "; the machine was busy in one of the two"
    if differences:
        text += f"; conditions differ: {', '.join(differences)}"
    return text + "."


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    old, new = dict(flatten(dict(before))), dict(flatten(dict(now)))
    return [
        f"{name} was {old[name]}, is {new[name]}"
        for name in old
        if name in new and old[name] != new[name] and not _VOLATILE & set(name.replace(",", " ").split())
    ]
