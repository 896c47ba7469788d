"""A search that is stopped says how to go on, and shows the front that it has so far."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from compresskit.cli.app import status
from compresskit.cli.output import ERROR
from compresskit.errors import StoppedRun
from compresskit.pipeline.search import search
from compresskit.runs import RunDirectory


@pytest.fixture(scope="module")
def stopped(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search that Ctrl-C met as its third trial had ended."""

    def say(line: str) -> None:
        if line.startswith("trial 2:"):
            raise KeyboardInterrupt

    folder = tmp_path_factory.mktemp("stopped") / "a run"
    with pytest.raises(StoppedRun, match=r"go on with: compresskit search --resume --output '.*/a run'$"):
        search(None, folder, start_from=run, say=say)
    return folder


def test_the_front_so_far_is_shown_and_marked(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["pareto", str(stopped)]) == 0
    shown = capsys.readouterr()
    assert shown.err == "warning: The search has not ended: 3 of 6 trials.\n"
    assert "The search has not ended: 3 of 6 trials." in shown.out
    assert f"compresskit search --resume --output '{stopped}'" in shown.out.replace("\n", " ")
    assert status(["pareto", str(stopped), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["verdict"]["kind"] == "unfinished"
    trials = {trial.trial_id: trial for trial in RunDirectory.open(stopped).trials()}
    assert value["points"] and {point["trial_id"] for point in value["points"]} <= trials.keys()
    for point in value["points"]:
        assert (point["metric"], point["latency_ms"]) == (
            trials[point["trial_id"]].metric,
            trials[point["trial_id"]].latency_ms,
        )
    assert value["dense"]["signature"] == trials[0].signature
    assert value["dense"]["latency_ms"] == pytest.approx(trials[0].latency_ms)
    assert value["dense"]["num_params"] == trials[0].num_params


def test_constraints_are_answered_from_it(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["pareto", str(stopped), "--max-latency-ms", "1000", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["trial_id"] in range(3)
    assert "has not ended" in shown.err


def test_a_search_that_was_prolonged_shows_the_front_of_before(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = tmp_path / "run"
    shutil.copytree(run, copied)
    with RunDirectory.open(copied, writable=True) as longer:
        longer.update(status="searching")
    assert status(["pareto", str(copied), "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    before = json.loads((run / "pareto.json").read_bytes())["points"]
    assert [{**point, "test": None} for point in value["points"]] == before
    assert (value["verdict"]["kind"], "prolonged" in value["verdict"]["detail"]) == ("unfinished", True)


def test_without_a_trial_there_is_no_front(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = tmp_path / "run"
    shutil.copytree(run, copied)
    (copied / "pareto.json").unlink()
    (copied / "trials.jsonl").unlink()
    assert status(["pareto", str(copied)]) == ERROR
    assert "has no front yet: no trial is completed" in capsys.readouterr().err
