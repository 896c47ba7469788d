from __future__ import annotations

from pathlib import Path

import pytest

from compresskit.errors import RunError
from compresskit.report.overview import described, find_runs, overview_of, overview_rows
from compresskit.runs.directory import RunDirectory
from tests.report.runs import write_run


def test_runs_are_found_below_a_folder_once(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "a"), write_run(tmp_path / "deep" / "b")
    write_run(first / "points" / "inner")  # nothing is looked for in a run
    (tmp_path / "engines").mkdir()
    assert find_runs([tmp_path]) == [first, second]
    assert find_runs([second, tmp_path]) == [second, first]
    with pytest.raises(RunError, match="is not a folder"):
        find_runs([tmp_path / "missing"])


def test_a_run_is_said_in_a_line(tmp_path: Path) -> None:
    path = write_run(tmp_path / "a", error="out of range")
    with RunDirectory.open(path, writable=True) as run:
        run.update(metric_name="accuracy", ended="2026-01-02T04:04:05+00:00")
    found = overview_of(path)
    assert (found.trials, found.points, found.dense_metric, found.dense_latency_ms) == (3, 2, 0.9, 10.0)
    assert (found.idx, found.speedup, found.metric) == (0, 2.5, 0.895)
    head, ((*cells,),) = overview_rows([found])
    line = dict(zip(head, cells, strict=True))
    assert line["within 1 point"] == "2.50\N{MULTIPLICATION SIGN} (89.50)"
    assert line["ended"] == "2026-01-02 04:04"
    assert (line["model"], line["data"], line["profile"]) == ("model", "sst2", "cpu-1-thread")
    words = described(found)
    assert words["dense model"] == "accuracy 90.00, 10.0 ms"
    assert words["within 1 point"] == "point 0, 2.50\N{MULTIPLICATION SIGN} as fast, accuracy 89.50"
    assert "networks deleted" not in words


def test_a_run_without_a_trial_has_no_figures(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "run", {"model": "m", "profile": {"name": "p"}}):
        pass
    found = overview_of(tmp_path / "run")
    assert (found.status, found.trials, found.speedup, found.error) == ("created", 0, None, None)
    assert overview_rows([found])[1][0][-1] == "\N{EN DASH}"


def test_a_damaged_run_is_listed_with_its_error(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run")
    (path / "run.json").write_text("{")
    found = overview_of(path)
    assert found.status == "damaged"
    assert "run.json" in str(found.error)
