from __future__ import annotations

from pathlib import Path
from typing import Any

from compresskit.pipeline.benching.history import append_history, changes_since, read_history
from tests.report.runs import bench_result


def benched(factor: float = 1.0, **others: Any) -> dict[str, Any]:
    result = bench_result(**others)
    for engine in result["engines"]:
        latency = engine["latency_ms"]
        latency["p50"] *= factor
        latency["ci"] = [end * factor for end in latency["ci"]]
    return result


def test_the_first_bench_has_nothing_to_compare_with(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    assert read_history(file) == []
    assert changes_since([], benched()) == []
    append_history(file, benched())
    assert len(read_history(file)) == 1


def test_a_change_is_one_only_where_intervals_lie_apart(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    append_history(file, benched(0.5))
    append_history(file, benched())
    slower = changes_since(read_history(file), benched(1.2))
    assert len(slower) == 2
    assert "now 12.0 ms: +20.0 %, slower." in slower[0]
    assert all("no change shown" in line for line in changes_since(read_history(file), benched(1.001)))
    assert "\N{MINUS SIGN}20.0 %, faster" in changes_since(read_history(file), benched(0.8))[0]


def test_no_change_is_called_one_on_a_busy_machine(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    append_history(file, benched())
    first, second = changes_since(read_history(file), benched(1.2, marks=["others took 31 %"]))
    assert "no change shown; the machine was busy in one of the two." in first
    now = benched(1.2)
    now["engines"][1]["marks"] = ["states disagree"]
    first, second = changes_since(read_history(file), now)
    assert "slower" in first and "busy" not in first and "no change shown; the machine was busy" in second
    append_history(file, benched(marks=["others took 31 %"]))
    assert all("no change shown" in line for line in changes_since(read_history(file), benched(1.2)))


def test_another_profile_is_not_compared(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    append_history(file, benched())
    assert changes_since(read_history(file), benched(profile={"name": "x", "key": "other"})) == []


def test_other_conditions_and_another_file_are_said(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    append_history(file, benched(conditions={"onnxruntime": "1.30.0", "load_average": 1, "cpu": "x"}))
    now = benched(conditions={"onnxruntime": "1.31.1", "load_average": 2, "cpu": "x"})
    now["engines"][0]["sha256"] = "1" * 64
    first, second = changes_since(read_history(file), now)
    assert first.endswith("the file is another one; conditions differ: onnxruntime was 1.30.0, is 1.31.1.")
    assert "the file is another one" not in second and "load" not in second
