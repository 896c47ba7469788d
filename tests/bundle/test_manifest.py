from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from compresskit.bundle.manifest import Manifest, hash_files, read_manifest, verify, write_manifest
from compresskit.errors import EngineError


def make_manifest() -> Manifest:
    return Manifest(
        architecture={"num_heads": 2, "num_units": 4, "heads": [1], "units": [4]},
        signature="1x4",
        precision="int8",
        metric_name="accuracy",
        test_metric=None,
        num_params=10,
        macs=20,
        variant="plain",
        session={"options": {"a": "b"}, "optimization_level": "all"},
        lineage={"trial_id": 4},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"graph")
    (tmp_path / "config.json").write_text("{}")
    write_manifest(tmp_path, replace(make_manifest(), files=hash_files(tmp_path)))
    return tmp_path


def test_manifest_survives_the_disk(folder: Path) -> None:
    manifest = verify(folder)
    assert set(manifest.files) == {"onnx/model.onnx", "config.json"}
    assert replace(manifest, files={}) == make_manifest()


def test_no_engine_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"is not an engine: it has no compresskit\.json"):
        read_manifest(tmp_path)


def test_another_version_is_said(folder: Path) -> None:
    path = folder / "compresskit.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 99}))
    with pytest.raises(EngineError, match="format version 99; this compresskit reads 1"):
        verify(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_a_broken_manifest_is_said(folder: Path, text: str) -> None:
    (folder / "compresskit.json").write_text(text)
    with pytest.raises(EngineError, match="damaged"):
        verify(folder)


def test_missing_and_unknown_keys_are_said(folder: Path) -> None:
    path = folder / "compresskit.json"
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "colour": 1}))
    with pytest.raises(EngineError, match="'colour'"):
        verify(folder)
    del value["macs"]
    path.write_text(json.dumps(value))
    with pytest.raises(EngineError, match=r"incomplete.*macs"):
        verify(folder)


def test_a_value_of_another_kind_is_said(folder: Path) -> None:
    path = folder / "compresskit.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "macs": "many"}))
    with pytest.raises(EngineError, match=r"damaged: macs is 'many'; permitted: a whole number"):
        verify(folder)


def test_a_missing_and_a_changed_file_are_named(folder: Path) -> None:
    (folder / "onnx" / "model.onnx").write_bytes(b"grapi")
    with pytest.raises(EngineError, match=r"model\.onnx is damaged"):
        verify(folder)
    (folder / "onnx" / "model.onnx").unlink()
    with pytest.raises(EngineError, match=r"lacks its file onnx/model\.onnx"):
        verify(folder)
