from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import RunError
from compresskit.runs import RUN_VERSION, Front, RunDirectory
from tests.runs.test_records import point, trial

SETTINGS = {"seed": 3, "space": "small"}


def test_create_then_open(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path / "a" / "run", SETTINGS) as run:
        run.update(status="searching", dense_metric=0.9)
    again = RunDirectory.open(run.path)
    assert again.settings == SETTINGS
    assert again.info["status"] == "searching"
    assert again.info["version"] == RUN_VERSION
    assert json.loads((run.path / "run.json").read_text())["dense_metric"] == 0.9


def test_trials_latencies_and_front(tmp_path: Path) -> None:
    front = Front(("metric", "latency_ms"), (point(),))
    with RunDirectory.create(tmp_path, SETTINGS) as run:
        assert run.trials() == []
        with pytest.raises(RunError, match="no front yet"):
            run.front()
        run.append_trial(trial())
        run.append_trial(trial(trial_id=1))
        run.append_latency({"key": "k", "samples_ms": [1.0]})
        run.write_front(front)
    again = RunDirectory.open(tmp_path)
    assert [record.trial_id for record in again.trials()] == [0, 1]
    assert again.latencies() == [{"key": "k", "samples_ms": [1.0]}]
    assert again.front() == front


def test_an_existing_run_is_not_overwritten_unless_forced(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, SETTINGS) as run:
        run.append_trial(trial())
        run.supernet.mkdir()
        (run.supernet / "model.safetensors").write_bytes(b"x")
    with pytest.raises(RunError, match=r"--resume.*--force"):
        RunDirectory.create(tmp_path, SETTINGS)
    with RunDirectory.create(tmp_path, {"seed": 4}, force=True) as run:
        assert run.trials() == []
        assert not run.supernet.exists()
        assert run.settings == {"seed": 4}


def test_foreign_files_are_never_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    for force in (False, True):
        with pytest.raises(RunError, match="not a run"):
            RunDirectory.create(tmp_path, SETTINGS, force=force)
    with pytest.raises(RunError, match="is a file"):
        RunDirectory.create(tmp_path / "thesis.tex", SETTINGS)
    with RunDirectory.create(tmp_path / "run", SETTINGS) as run:
        (run.path / "notes.txt").write_text("mine")
        (run.path / "points" / "0").mkdir(parents=True)
    with RunDirectory.create(tmp_path / "run", SETTINGS, force=True):
        assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
        assert not (tmp_path / "run" / "points").exists()


def test_what_a_killed_creation_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / ".run.json.abc.part").touch()
    with RunDirectory.create(tmp_path, SETTINGS):
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "run.json"]


def test_what_a_killed_writer_left_goes_when_its_run_goes_on(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, SETTINGS) as run:
        run.supernet.mkdir()
    left = [tmp_path / ".run.json.abc.part", run.supernet / ".importance.safetensors.x.part"]
    for path in left:
        path.touch()
    RunDirectory.open(tmp_path)
    assert all(path.exists() for path in left)  # who only reads may meet a writer at work
    RunDirectory.open(tmp_path, writable=True).close()
    assert not any(path.exists() for path in left)


def test_no_run_another_version_and_damage_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run"):
        RunDirectory.open(tmp_path)
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"version": 99, "settings": {}}))
    with pytest.raises(RunError, match=rf"version 99.*version {RUN_VERSION}"):
        RunDirectory.open(tmp_path, writable=True)
    for damaged in ('{"version": 1', "[]", "{}", "\x00"):
        file.write_text(damaged)
        with pytest.raises(RunError, match="damaged"):
            RunDirectory.open(tmp_path)


def test_a_truncated_trial_is_dropped_and_said(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, SETTINGS) as run:
        run.append_trial(trial())
        run.append_trial(trial(trial_id=1))
        file = tmp_path / "trials.jsonl"
        file.write_bytes(file.read_bytes()[:-20])
        assert [record.trial_id for record in run.trials()] == [0]
        run.trials()
        assert len(run.warnings) == 1
        run.append_trial(trial(trial_id=1, metric=0.5))
        assert [record.metric for record in run.trials()] == [0.875, 0.5]


def test_a_line_that_is_no_trial_is_named(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, SETTINGS) as run:
        run.append_trial(trial())
        with (tmp_path / "trials.jsonl").open("a") as file:
            file.write('{"trial_id": 1}\n')
        with pytest.raises(RunError, match=r"trials.jsonl, line 2, is not a trial: fields missing"):
            run.trials()


LINE = {
    "key": "k",
    "reference_level_ms": 1.0,
    "rounds_ms": [[1.0, 2.0, 1.0]],
    "common_error": 0.0,
    "wall_median_ms": None,
    "marks": ["busy"],
    "speedup": {"times": 2.0, "ci": [1.9, 2.1], "marks": []},
    "looks": [{"times": 2.0, "ci": [1.9, 2.1], "marks": []}],
}


@pytest.mark.parametrize(
    "damage",
    [
        {"rounds_ms": [[1.0, 2.0]]},
        {"rounds_ms": {"a": 1}},
        {"common_error": None},
        {"wall_median_ms": "x"},
        {"marks": [1]},
        {"marks": None},
        {"speedup": 2.0},
        {"speedup": {"times": "x"}},
        {"speedup": {"times": 2.0, "ci": [1.9, 2.1], "marks": None}},
        {"seconds": "x"},
        {"conditions": {"reference": []}},
        {"conditions": {"host": "x"}},
        {"looks": {}},
        {"looks": [{"ci": [1.9]}]},
    ],
)
def test_a_damaged_latency_is_told_with_its_line(tmp_path: Path, damage: dict[str, Any]) -> None:
    with RunDirectory.create(tmp_path, SETTINGS) as run:
        run.append_latency(LINE)
        assert run.latencies() == [LINE]
        run.append_latency({**LINE, **damage})
        with pytest.raises(RunError, match=r"latencies\.jsonl, line 2, is damaged: .*permitted: "):
            run.latencies()


@pytest.mark.parametrize(
    "damage",
    [
        {"prior_metric": "x"},
        {"fingerprints": []},
        {"fingerprints": {"data": 1, "model": None, "versions": {}}},
        {"fingerprints": {"data": "x", "model": 1, "versions": {}}},
        {"fingerprints": {"data": "x", "model": None, "versions": {"torch": None}}},
    ],
)
def test_damaged_fingerprints_and_baselines_are_told(tmp_path: Path, damage: dict[str, Any]) -> None:
    settings = {"profile": {}, "method": "nas"}
    whole: dict[str, Any] = {
        "fingerprints": {"data": "x", "model": None, "versions": {"torch": "2"}},
        "prior_metric": 0.5,
    }
    RunDirectory.create(tmp_path, settings, **whole).close()
    RunDirectory.open(tmp_path)
    RunDirectory.create(tmp_path, settings, force=True, **{**whole, **damage}).close()
    with pytest.raises(RunError, match=r"run\.json is damaged: .*permitted: "):
        RunDirectory.open(tmp_path)


def test_a_damaged_front_is_refused(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, SETTINGS) as run:
        (tmp_path / "pareto.json").write_text("{")
        with pytest.raises(RunError, match="damaged"):
            run.front()


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with RunDirectory.create(tmp_path, SETTINGS):
        with pytest.raises(RunError, match="another process"):
            RunDirectory.open(tmp_path, writable=True)
        with pytest.raises(RunError, match="another process"):
            RunDirectory.create(tmp_path, SETTINGS, force=True)
        assert RunDirectory.open(tmp_path).settings == SETTINGS
    RunDirectory.open(tmp_path, writable=True).close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_writer_loses_no_record_and_its_lock(tmp_path: Path) -> None:
    code = (
        "import itertools, sys\n"
        "from compresskit.runs import RunDirectory, TrialRecord\n"
        "run = RunDirectory.open(sys.argv[1], writable=True)\n"
        "record = run.trials()[0].to_json()\n"
        "for n in itertools.count(1):\n"
        "    run.append_trial(TrialRecord.from_json({**record, 'trial_id': n}))\n"
        "    print(n, flush=True)\n"
    )
    with RunDirectory.create(tmp_path, SETTINGS) as run:
        run.append_trial(trial())
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(20)]
        child.send_signal(signal.SIGKILL)
        said += [int(line) for line in child.stdout if line.endswith("\n")]
    with RunDirectory.open(tmp_path, writable=True) as run:
        recorded = [record.trial_id for record in run.trials()]
    assert recorded == list(range(len(recorded)))
    assert set(said) <= set(recorded)
