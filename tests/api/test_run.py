"""Searches, runs and exports from Python, as docs/python.md shows them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from compresskit import Run, export, search
from compresskit.errors import ConfigurationError, RunError
from compresskit.report.front_so_far import front_and_verdict
from compresskit.report.verdict import Verdict
from compresskit.runs import Front, RunDirectory


def test_settings_are_kept_as_text_and_lists(run: Run) -> None:
    settings = RunDirectory.open(run.path).settings
    assert settings["model"] == str(run.path.parents[1] / "model")
    assert settings["objectives"] == ["metric", "latency_ms"] and settings["precisions"] == ["fp32"]
    assert settings["budget_seconds"] is None and settings["text_columns"] == []


def test_a_run_is_resumed(run: Run) -> None:
    with pytest.raises(ConfigurationError, match=r"batch_size is 8, .* change budget, dims, judge, trials"):
        search(output=run.path, resume=True, batch_size=8, say=print)
    longer = search(output=run.path, resume=True, trials=5, budget="1h", say=lambda _: None)
    assert longer.path == run.path
    stored = RunDirectory.open(run.path)
    assert len(stored.trials()) >= 5 and stored.settings["budget_seconds"] == 3600.0


def test_a_run_has_its_front(run: Run) -> None:
    found = Run(str(run.path))
    assert len(found.front) == len(found.front[:]) > 0
    assert [point.idx for point in found.front] == list(range(len(found.front)))
    assert found.front.dense is not None and found.front.dense.idx is None
    frame = found.front.to_frame()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.index) == list(range(len(found.front)))
    assert frame.loc[0, "latency_ms"] == found.front[0].latency_ms
    assert {"metric", "precision", "speedup"} <= set(frame)
    assert f"<td>{found.front[0].idx}" in found._repr_html_()
    assert found.verdict.headline in found._repr_html_()


def test_the_run_is_read_once_for_front_and_verdict(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[RunDirectory] = []

    def reads(found: RunDirectory) -> tuple[Front, Verdict]:
        read.append(found)
        return front_and_verdict(found)

    monkeypatch.setattr("compresskit.api.run.front_and_verdict", reads)
    assert run.front.verdict.headline in run._repr_html_()
    assert len(read) == 2


def test_a_point_is_chosen_and_exported(run: Run, tmp_path: Path) -> None:
    found = run
    fastest = found.front.choose(max_drop=100)
    assert fastest == found.front[0]
    told: list[str] = []
    engine = found.export(tmp_path / "engine", pareto_idx=fastest.idx, say=told.append)
    assert engine.manifest.signature == fastest.signature
    assert told
    answers = engine.predict(["a pleasant surprise", "dull"])
    assert len(answers) == 2
    again = export(run.path, str(tmp_path / "again"), trial=fastest.trial_id, say=told.append)
    assert (again.predict(["dull"]) == engine.predict(["dull"])).all()


def test_a_report_is_written(run: Run, tmp_path: Path) -> None:
    assert run.report(tmp_path / "run.md") == tmp_path / "run.md"
    assert (tmp_path / "run.md").read_text()


def test_what_a_search_needs(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="give --dataset and --profile"):
        search("model", output=tmp_path / "run")
    with pytest.raises(ConfigurationError, match="leave --from out"):
        search(output=tmp_path / "run", resume=True, start_from="other")
    with pytest.raises(ConfigurationError, match="budget 'soon' is not a duration"):
        search("m", "d", "cpu-1-thread", output=tmp_path / "run", budget="soon")
    with pytest.raises(RunError, match="is not a run"):
        Run(tmp_path)
    assert not list(tmp_path.iterdir())
