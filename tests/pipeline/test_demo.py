from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compresskit.cli import app
from compresskit.errors import CompresskitError, ConfigurationError
from compresskit.pipeline import demo as module
from compresskit.pipeline.demo import demo


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Any]]:
    """The commands that the demo runs, and where their stdout goes; a bench leaves its result behind."""
    found: list[tuple[list[str], Any]] = []

    def call(command: list[str], *, stdout: Any) -> int:
        found.append((command[3:], stdout))
        if command[3] == "bench":
            path = Path(command[-1])
            path.parent.mkdir(exist_ok=True)
            path.write_text('{"ratios": []}')
        return 0

    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(module, "ROWS", 40)
    return found


def test_it_runs_the_main_job_and_says_where_things_are(
    called: list[tuple[list[str], Any]], tmp_path: Path
) -> None:
    result = demo(tmp_path / "demo", force=False, say=lambda _: None)
    commands = [words[0] for words, _ in called]
    assert commands == ["search", "pareto", "export", "export", "bench", "report"]
    assert all(stdout is None for _, stdout in called)
    assert result["bench"] == {"ratios": []}
    assert {words[words.index("--output") + 1] for words, _ in called[2:4]} == set(result["engines"])


def test_as_json_it_prints_its_result_alone(
    called: list[tuple[list[str], Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.status(["demo", "--output", str(tmp_path / "demo"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["run"] == str(tmp_path / "demo" / "run")
    assert all(stdout is sys.stderr for _, stdout in called)


def test_a_folder_of_the_users_is_never_deleted(called: list[tuple[list[str], Any]], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(ConfigurationError, match="not empty; give --output a new folder"):
        demo(tmp_path, force=True, say=lambda _: None)
    assert (tmp_path / "mine.txt").exists()
    demo(tmp_path / "demo", force=False, say=lambda _: None)
    with pytest.raises(ConfigurationError, match="--force to delete the demo in it"):
        demo(tmp_path / "demo", force=False, say=lambda _: None)
    demo(tmp_path / "demo", force=True, say=lambda _: None)


def test_a_command_that_fails_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "call", lambda command, **_: 3)
    monkeypatch.setattr(module, "ROWS", 40)
    with pytest.raises(CompresskitError, match=r"`compresskit search .* ended with status 3"):
        demo(tmp_path / "demo", force=False, say=lambda _: None)
