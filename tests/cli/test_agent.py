from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compresskit.cli import app
from compresskit.target.agent import serve as module


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command asks the server for, which says an address and ends."""
    found: dict[str, Any] = {}

    def serve(**options: Any) -> None:
        found.update(options)
        options["say"]("http://127.0.0.1:9")

    monkeypatch.setattr(module, "serve", serve)
    return found


def test_json_is_where_it_listens(
    asked: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = str(tmp_path / "token")
    assert app.status(["agent", "--port", "0", "--token-file", token, "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"address": "http://127.0.0.1:9", "token_file": token}
    assert not shown.err
    assert asked["port"] == 0


def test_without_json_stdout_stays_empty(
    asked: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.status(["agent", "--token-file", str(tmp_path / "token"), "--memory-limit", "300"]) == 0
    shown = capsys.readouterr()
    assert not shown.out
    assert shown.err == f"listening on http://127.0.0.1:9, token in {tmp_path / 'token'}\n"
    assert asked["limits"].memory_bytes == 300 << 20
