"""Images, from a search to answers, a bench, a report and a repository for Triton."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compresskit.bundle import load_engine
from compresskit.errors import ConfigurationError
from compresskit.pipeline.bench import bench
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.report.files import write_report
from compresskit.runs import RunDirectory
from tests.images.make import COLOURS, picture, save_checkpoint, write_folder
from tests.pipeline.make import PROFILE, settings_for


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs and a finished run of a model that tells colours apart; it is fine-tuned first."""
    folder = tmp_path_factory.mktemp("shown")
    write_folder(folder / "data", 240, "train")
    write_folder(folder / "data", 60, "test")
    save_checkpoint(folder / "model", has_head=False)
    (folder / "profile.toml").write_text(PROFILE)
    search(settings_for(folder, trials=3, epochs=4.0, learning_rate=3e-3, max_length=None), folder / "run")
    return folder


def test_from_a_search_to_answers_a_bench_and_a_report(shown: Path) -> None:
    run = RunDirectory.open(shown / "run")
    front = run.front()
    assert front.dense is not None and front.dense.metric is not None and front.dense.metric > 0.8
    manifest = export(run=shown / "run", output=shown / "engine", dense=True)
    assert manifest.task == {"name": "image"} and manifest.labels == list(COLOURS)
    assert manifest.max_length is None
    assert manifest.test_metric is not None and manifest.test_metric > 0.8
    engine = load_engine(shown / "engine")
    files = sorted((shown / "data" / "test" / "red").iterdir())
    said = engine.predict([str(files[0]), files[0].read_bytes(), picture(7, COLOURS["blue"])])
    assert np.array_equal(said[0], said[1])
    assert [engine.labels[i] for i in said.argmax(-1)] == ["red", "red", "blue"]
    benched = bench([shown / "engine"], profile=str(shown / "profile.toml"), dataset=shown / "data")
    assert benched.engines[0].metric == pytest.approx(manifest.test_metric)
    card = (shown / "engine" / "README.md").read_text()
    assert "AutoImageProcessor" in card and "Pillow, no PyTorch" in card and "tokenizer" not in card
    assert "validation images differ from those of the dense model" in write_report(run.path).read_text()


def test_an_int8_engine_serves_images(shown: Path) -> None:
    manifest = export(
        run=shown / "run", output=shown / "int8", dense=True, precision="int8", precision_drop=100
    )
    assert manifest.precision.startswith("int8")
    said = load_engine(shown / "int8").predict([picture(8, COLOURS["green"])])
    assert list(COLOURS)[said[0].argmax()] == "green"


def test_a_repository_for_triton_has_the_processor(shown: Path) -> None:
    export(run=shown / "run", output=shown / "triton", dense=True, format="triton")
    (model,) = (shown / "triton").iterdir()
    assert (model / "processor" / "preprocessor_config.json").is_file()
    assert "dims: [ 3, 16, 16 ]" in (model / "config.pbtxt").read_text()


@pytest.mark.parametrize("options", [{"trim_vocabulary": True}, {"embeddings": "int8"}])
def test_options_of_words_are_refused(shown: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="is for models of text, and task image has none"):
        export(run=shown / "run", output=shown / "refused", dense=True, **options)
    assert not (shown / "refused").exists()


def test_a_model_without_a_processor_is_told_what_lacks(shown: Path, tmp_path: Path) -> None:
    shutil.copytree(shown / "model", tmp_path / "model")
    (tmp_path / "model" / "preprocessor_config.json").unlink()
    settings = settings_for(shown, model=str(tmp_path / "model"), max_length=None)
    with pytest.raises(ConfigurationError, match=r"no image processor that loads .*preprocessor_config.json"):
        search(settings, tmp_path / "run")
