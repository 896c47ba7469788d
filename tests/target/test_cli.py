from __future__ import annotations

import json
from pathlib import Path

import pytest

from compresskit.cli.app import status
from compresskit.target import doctor
from compresskit.target.profile import load_profile


def test_profile_list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["profile", "list"]) == 0
    assert "cpu-1-thread" in capsys.readouterr().out
    assert status(["profile", "list", "--json"]) == 0
    assert {item["name"] for item in json.loads(capsys.readouterr().out)} >= {"cpu-1-thread", "jetson-orin"}
    assert status(["profile", "show", "jetson-orin"]) == 0
    assert 'provider = "tensorrt"' in capsys.readouterr().out
    assert status(["profile", "show", "moon"]) == 1
    assert "cpu-1-thread" in capsys.readouterr().err


def test_profile_detect_writes_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "here.toml"
    assert status(["profile", "detect", "--output", str(path)]) == 0
    assert load_profile(path).threads >= 1
    assert status(["profile", "detect", "--output", str(path)]) == 1
    assert "--force" in capsys.readouterr().err
    assert status(["profile", "detect", "--output", str(path), "--force"]) == 0
    assert status(["profile", "detect", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["provider"] in ("cpu", "cuda")


def test_doctor_tells_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = doctor.Check("a", "ok", "fine"), doctor.Check("b", "fail", "broken [x]", "mend it")
    monkeypatch.setattr(doctor, "run_checks", lambda: [good])
    assert status(["doctor", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["checks"][0] == {"name": "a", "status": "ok", "detail": "fine", "remedy": ""}
    assert value["host"]["python"]
    monkeypatch.setattr(doctor, "run_checks", lambda: [good, bad])
    assert status(["doctor"]) == 1
    assert "broken [x]" in capsys.readouterr().out
