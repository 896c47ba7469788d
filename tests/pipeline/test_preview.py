"""A dry run: it says what a search would do, checks what it checks, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from compresskit.errors import ConfigurationError, RunError
from compresskit.pipeline.check import check
from compresskit.pipeline.preview import preview
from tests.pipeline.make import settings_for


def test_a_search_is_described(inputs: Path, tmp_path: Path) -> None:
    settings, output = settings_for(inputs), tmp_path / "run"
    checked = check(settings, output)
    found = preview(checked, output)
    assert not list(tmp_path.iterdir())
    task = checked.inputs.task
    assert found.data["rows"] == {
        "train": len(task.train), "validation": len(task.validation), "test": len(task.test),
    }  # fmt: skip
    assert [each["name"] for each in found.data["labels"]] == list(task.kind.labels)
    assert sum(each["count"] for each in found.data["labels"]) == len(task.train)
    assert not found.model["is_fine_tuned"] and found.model["num_layers"] == 3
    assert found.device["threads"] == 1 and found.search["trials"] == 6
    stages = list(found.seconds)
    assert stages[0] == "training dense" and {"order of importance", "trials"} <= set(stages)
    assert all(seconds >= 0 for seconds in found.seconds.values()) and sum(found.seconds.values()) > 0
    lines = found.lines()
    assert lines["labels"].startswith("0 = ") and "6 trials" in lines["search"]
    assert f"train {len(task.train)}" in lines["rows"] and lines["time"].startswith("about ")


def test_a_search_from_another_run_trains_nothing(inputs: Path, run: Path, tmp_path: Path) -> None:
    output = tmp_path / "next"
    checked = check(None, output, start_from=run, changes={"trials": 3})
    found = preview(checked, output)
    assert found.model["is_fine_tuned"] and found.search["trials"] == 3
    assert not [stage for stage in found.seconds if stage.startswith("training")]
    assert not output.exists()


def test_what_a_search_refuses_is_refused(inputs: Path, run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="already holds a run"):
        check(settings_for(inputs), run)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(RunError, match="is not empty and not a run"):
        check(settings_for(inputs), tmp_path)
    with pytest.raises(ConfigurationError, match="does not use it"):
        check(settings_for(inputs, method="fisher", block_width=8), tmp_path / "run")
