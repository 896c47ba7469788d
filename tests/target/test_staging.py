from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from compresskit.errors import DiskFullError
from compresskit.target import staging
from compresskit.target.external_weights import without_weights
from compresskit.target.staging import Staging
from tests.target.graphs import chain, written


def logits(model: Path | bytes) -> np.ndarray:
    session = ort.InferenceSession(model if isinstance(model, bytes) else str(model))
    return np.asarray(session.run(None, {"input_ids": np.arange(6).reshape(1, 6)})[0])


def test_what_is_staged_computes_the_same() -> None:
    data = chain(width=160, depth=3)
    model = onnx.load_model_from_string(data)
    room = Staging()
    try:
        path = room.put(model)
        np.testing.assert_array_equal(logits(path), logits(data))
        assert path.stat().st_size < 10_000  # its weights lie beside it
        assert model.SerializeToString(deterministic=True) == onnx.load_model_from_string(
            data
        ).SerializeToString(deterministic=True)
        # A weight that stands in its place stays there; others are written over.
        light = without_weights(model)
        np.testing.assert_array_equal(logits(room.put(light)), logits(data))
        np.testing.assert_array_equal(logits(room.put(light)), logits(data))
        smaller = chain(width=130)
        np.testing.assert_array_equal(logits(room.put(onnx.load_model_from_string(smaller))), logits(smaller))
        np.testing.assert_array_equal(logits(room.put(data)), logits(data))
    finally:
        room.close()
    assert not path.parent.exists()


def test_a_path_stays_where_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, chain())
    assert Staging().put(path) == path


def test_no_room_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(staging, "_MEMORY_FOLDER", tmp_path / "absent")
    usage = type("Usage", (), {"free": 1000})()
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(DiskFullError, match=r"does not fit into .*; free some space"):
        Staging().put(chain())


def test_folders_of_processes_that_were_killed_are_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(staging, "_MEMORY_FOLDER", tmp_path)
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True)
    left = tmp_path / f"compresskit-staged-{int(ended.stdout)}-x"
    running = tmp_path / f"compresskit-staged-{os.getppid()}-x"
    for folder in (left, running):
        folder.mkdir()
    room = Staging()
    room.put(chain())
    room.close()
    assert [item.name for item in tmp_path.iterdir()] == [running.name]
