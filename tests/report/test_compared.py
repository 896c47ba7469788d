from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import ConfigurationError
from compresskit.report.compared import DROPS, compare_runs, compared_rows
from compresskit.report.units import NOTHING, TIMES
from compresskit.runs.directory import RunDirectory
from tests.report.runs import dense, front, point, write_run


def run(path: Path, *points: Any, whole: Any = None, **info: Any) -> RunDirectory:
    with RunDirectory.open(write_run(path), writable=True) as found:
        found.write_front(front(*points, whole=whole or dense()))
        found.update(metric_name="accuracy", **info)
    return RunDirectory.open(path)


def test_points_are_compared_at_the_same_losses(tmp_path: Path) -> None:
    fast = run(tmp_path / "fast", point(0, 2.0, 0.875), point(1, 4.0, 0.893))
    sound = run(tmp_path / "sound", point(0, 2.5, 0.87), point(1, 5.0, 0.899))
    found = compare_runs([fast, sound])
    assert found["notes"] == []
    at = [[each and each["speedup"] for each in one["at"]] for one in found["runs"]]
    assert found["drops"] == list(DROPS) == [0.5, 1.0, 2.0, 5.0]
    assert at == [[None, 2.5, 2.5, 5.0], [2.0, 2.0, 2.0, 4.0]]
    assert [one["on_joint_front"] for one in found["runs"]] == [2, 1]
    head, rows = compared_rows(found)
    assert dict(zip(head[3:], rows[0][3:], strict=True)) == {
        "within 0.5 points": NOTHING,
        "within 1 point": f"2.50{TIMES} (#1)",
        "within 2 points": f"2.50{TIMES} (#1)",
        "within 5 points": f"5.00{TIMES} (#0)",
        "on joint front": "2 of 2",
    }


def test_equal_points_do_not_dominate_each_other(tmp_path: Path) -> None:
    both = [run(tmp_path / name, point(0, 2.0, 0.875)) for name in "ab"]
    assert [one["on_joint_front"] for one in compare_runs(both)["runs"]] == [1, 1]


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        ({"fingerprints": {"data": "other", "model": None, "versions": {}}}, "different data or splits"),
        ({"metric_name": "f1"}, r"metrics differ \(accuracy, f1\)"),
    ],
)
def test_what_differs_is_said_and_not_mixed(tmp_path: Path, changed: dict[str, Any], note: str) -> None:
    known = {"fingerprints": {"data": "one", "model": "m", "versions": {}}}
    first = run(tmp_path / "a", point(0, 2.0, 0.9), **known)
    second = run(tmp_path / "b", point(0, 3.0, 0.9), **known)
    with RunDirectory.open(second.path, writable=True) as opened:
        opened.update(**changed)
    found = compare_runs([first, RunDirectory.open(second.path)])
    assert any(re.search(note, each) for each in found["notes"])
    assert [one["on_joint_front"] for one in found["runs"]] == [None, None]


def test_a_run_without_fingerprints_is_compared_by_names(tmp_path: Path) -> None:
    """Versions before there were any wrote none."""
    known = {"fingerprints": {"data": "one", "model": "m", "versions": {}}}
    runs = [
        run(tmp_path / "old", point(0, 2.0, 0.9), fingerprints=None),
        run(tmp_path / "new", point(0, 3.0, 0.95), **known),
    ]
    found = compare_runs(runs)
    assert found["notes"] == []
    assert [one["on_joint_front"] for one in found["runs"]] == [1, 1]


def test_one_run_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="1 run given; name two or more"):
        compare_runs([run(tmp_path / "a", point(0, 2.0, 0.9))])
