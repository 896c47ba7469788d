"""Engine folders that were damaged or added to: each ends in an error that names the file."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from compresskit.bundle import load_engine
from compresskit.bundle.manifest import verify
from compresskit.errors import EngineError
from compresskit.pipeline.bench import open_contender
from tests.damage import damaged_texts, damaged_values
from tests.pipeline.tiny import QUICK, write_engine, write_graph

LINEAGE: dict[str, Any] = {
    "run": "reviews",
    "trial_id": 3,
    "latency_ms": 1.5,
    "reference_level_ms": 2.0,
    "conditions": "k",
    "profile": QUICK.to_json(),
}


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    return write_engine(tmp_path / "engine", lineage=LINEAGE)


def use(folder: Path) -> None:
    load_engine(folder, check_hashes=False).predict(["good", "bad"])
    contender = open_contender(folder)
    assert contender.session is not None


@pytest.mark.parametrize("name", ["compresskit.json", "config.json"])
def test_a_damaged_file_is_told_with_its_name(engine: Path, name: str) -> None:
    file = engine / name
    whole = json.loads(file.read_bytes())
    use(engine)
    told = 0
    for text in (*damaged_texts(file.read_bytes()), *damaged_values(whole, random.Random(0), 150)):
        file.write_bytes(text)
        try:
            use(engine)
        except EngineError as error:
            assert name in str(error)
            told += 1
    assert told > 20


@pytest.mark.parametrize("name", ["onnx/model_quantized.onnx", "other.onnx", "onnx/model.ort"])
def test_a_graph_that_the_manifest_does_not_list_is_refused(engine: Path, name: str) -> None:
    write_graph(engine / name, seed=1)
    with pytest.raises(
        EngineError, match=rf"{Path(name).name} is a graph that compresskit.json does not list"
    ):
        verify(engine)
    with pytest.raises(EngineError, match="does not list"):
        load_engine(engine)


def test_a_manifest_that_lists_no_graph_serves_none(engine: Path) -> None:
    file = engine / "compresskit.json"
    value = json.loads(file.read_bytes())
    del value["files"]["onnx/model.onnx"]
    file.write_text(json.dumps(value))
    with pytest.raises(EngineError, match="model.onnx is a graph that"):
        open_contender(engine)


def test_other_files_beside_an_engine_do_no_harm(engine: Path) -> None:
    (engine / "notes.txt").write_text("mine")
    shutil.copy(
        engine / "README.md" if (engine / "README.md").exists() else engine / "config.json", engine / "x"
    )
    verify(engine)
