"""Methods other than `nas`, through search, front, export and resume."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import ConfigurationError, RunError
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.pipeline.training.models import load_model
from compresskit.pruning.extract import extract
from compresskit.pruning.reload import load_pruned
from compresskit.report.files import write_report
from compresskit.runs import RunDirectory
from tests.pipeline.broken import Job, finish, kill_at
from tests.pipeline.make import settings_for

FISHER: dict[str, Any] = {"method": "fisher", "trials": 3, "epochs": 3.0}


@pytest.fixture(scope="module")
def run(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of gradual Fisher pruning."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    search(settings_for(inputs, **FISHER), folder)
    return folder


def test_front_points_name_their_weights_and_training_its_cost(run: Path) -> None:
    directory = RunDirectory.open(run)
    front = directory.front()
    assert front.points
    for point in front.points:
        assert point.weights == f"points/{point.trial_id}"
        assert point.latency_ms is not None and point.latency_ms > 0
    assert front.dense is not None and front.dense.weights is None
    spent = directory.info["full_steps"]
    assert spent["dense"] > 0
    assert {"point-0", "point-1", "point-2"} <= set(spent)
    assert not (run / "supernet" / "model").exists()


def test_an_engine_has_the_weights_of_its_own_trial(run: Path, tmp_path: Path) -> None:
    record = RunDirectory.open(run).trials()[1]
    export(run, tmp_path / "engine", trial=1)
    wanted = extract(load_model(run / str(record.weights)), record.candidate.architecture)
    found = load_pruned(tmp_path / "engine")
    for name, value in wanted.state_dict().items():
        assert found.state_dict()[name].equal(value)


def test_a_report_is_made_of_it(run: Path, tmp_path: Path) -> None:
    write_report(run, tmp_path / "report.html")
    assert "method fisher" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_killed_in_training_it_ends_as_an_unbroken_run_does(inputs: Path, run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    kill_at("point-1: step 6 ", Job(broken, inputs, FISHER))
    said = finish(Job(broken))
    assert "point-0: step " not in said
    assert "point-1: step 1 " not in said
    ended, unbroken = RunDirectory.open(broken), RunDirectory.open(run)
    assert [r.architecture for r in ended.trials()] == [r.architecture for r in unbroken.trials()]
    assert [r.metric for r in ended.trials()] == pytest.approx([r.metric for r in unbroken.trials()])
    assert ended.info["full_steps"] == pytest.approx(unbroken.info["full_steps"])


def test_it_gives_no_super_network_to_start_from(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="method fisher, which trains no super-network"):
        search(None, tmp_path / "run", start_from=run, changes={})
    assert not (tmp_path / "run").exists()


def test_its_sizes_cannot_be_changed_on_the_way(run: Path) -> None:
    with pytest.raises(ConfigurationError, match="trials is 9.*may change dims, judge"):
        search(None, run, resume=True, changes={"trials": 9})


def test_points_that_are_gone_are_named(run: Path, tmp_path: Path) -> None:
    lines = (run / "trials.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["weights"] == "points/0"
    (run / "points" / "0").rename(run / "points" / "away")
    try:
        with pytest.raises(RunError, match="points/0, which holds a trial's weights, is not there"):
            export(run, tmp_path / "engine", trial=0)
    finally:
        (run / "points" / "away").rename(run / "points" / "0")
