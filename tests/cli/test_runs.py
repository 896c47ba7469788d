"""`compresskit runs`: what it prints, deletes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compresskit.cli.app import status
from compresskit.cli.output import ERROR, USAGE
from tests.report.runs import write_run


def test_list_and_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "a")
    (write_run(tmp_path / "b") / "run.json").write_text("[]")
    assert status(["runs", "list", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "2.50\N{MULTIPLICATION SIGN}" in shown.out
    assert "damaged" in shown.out
    assert "run.json" in shown.err
    assert status(["runs", "list", str(tmp_path), "--json"]) == 0
    assert [each["status"] for each in json.loads(capsys.readouterr().out)] == ["completed", "damaged"]
    assert status(["runs", "show", str(tmp_path / "a")]) == 0
    assert "point 0, 2.50\N{MULTIPLICATION SIGN} as fast" in capsys.readouterr().out
    assert status(["runs", "show", str(tmp_path / "none")]) == ERROR


def test_an_empty_folder_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["runs", "list", str(tmp_path), "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == []
    assert "no runs here" in shown.err


def test_compare_tells_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(write_run(tmp_path / name, model=name)) for name in "ab"]
    assert status(["runs", "compare", *paths]) == 0
    shown = capsys.readouterr()
    assert "within 1 point" in shown.out
    assert "different models" in shown.err
    assert status(["runs", "compare"]) == USAGE


def test_prune_deletes_only_when_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_run(tmp_path / "a")
    model = path / "supernet" / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(bytes(2000))
    assert status(["runs", "prune", str(path)]) == ERROR
    assert "no point of" in capsys.readouterr().err
    assert status(["runs", "prune", str(path), "--force"]) == 0
    shown = capsys.readouterr()
    assert "2.00 kB in all" in shown.out
    assert "nothing was deleted" in shown.err
    assert model.is_dir()
    assert status(["runs", "prune", str(path), "--force", "--yes"]) == 0
    assert "freed 2.00 kB" in capsys.readouterr().out
    assert not model.exists()
    assert status(["runs", "show", str(path)]) == 0
    assert "networks deleted" in capsys.readouterr().out
