"""Vectors of texts, from plain text and a model of sentence-transformers to engines and a bench."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoConfig

from compresskit.bundle import load_engine
from compresskit.display import SILENT
from compresskit.errors import ConfigurationError
from compresskit.pipeline.bench import bench
from compresskit.pipeline.export import export
from compresskit.pipeline.inputs import read_inputs, read_task
from compresskit.pipeline.search import search
from compresskit.pipeline.training import dense_check
from compresskit.pipeline.training.models import load_dense, open_checkpoint
from compresskit.report.files import write_report
from compresskit.runs import RunDirectory
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.target.profile import load_profile
from compresskit.tasks.sentence import Sentence
from tests.pipeline.make import make_model, settings_for
from tests.tasks.make import sentence, tokenizer, write_csv


def write_sentence_files(folder: Path, sentence: Sentence) -> None:
    for name, value in sentence.files(32, 16).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs and a finished run of a model that pools by the first token."""
    folder = tmp_path_factory.mktemp("embedded")
    (folder / "data").mkdir()
    rng = np.random.default_rng(0)
    (folder / "data" / "texts.txt").write_text("\n".join(sentence(rng) for _ in range(300)))
    make_model(folder, tokenizer(), layers=2)
    made = Sentence("cls", prompts=(("query", "w7 "),), default_prompt="query")
    write_sentence_files(folder / "model", made)
    search(settings_for(folder, task="embedding", trials=3, epochs=4.0, parts=1), folder / "run")
    return folder


def test_from_plain_texts_to_vectors_a_bench_and_a_report(embedded: Path, tmp_path: Path) -> None:
    run = RunDirectory.open(embedded / "run")
    front = run.front()
    assert front.dense is not None and front.dense.metric == pytest.approx(1)
    assert any(point.metric is not None and 0.1 < point.metric < 1 for point in front.points)
    dense = export(run=embedded / "run", output=embedded / "dense", dense=True)
    assert dense.test_metric == pytest.approx(1, abs=1e-6)
    manifest = export(run=embedded / "run", output=embedded / "engine", pareto_idx=0)
    assert manifest.test["dense_metric"] == pytest.approx(1)
    assert manifest.kind == dense.kind and manifest.kind.name == "embedding"
    engine = load_engine(embedded / "dense")
    vectors = engine.predict(["w1 w2", "w3"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    checkpoint = open_checkpoint(embedded / "model")
    settings = settings_for(embedded, task="embedding")
    task = read_task(settings, checkpoint)
    model = SuperNetwork(load_dense(checkpoint.for_kind(task.kind), task, 0).model)
    np.testing.assert_allclose(engine.predict(task.test.raw), predict(model, task, task.test), atol=1e-5)
    rng = np.random.default_rng(1)
    pairs = [(sentence(rng), sentence(rng), place) for place in range(30)]
    data = write_csv(tmp_path / "pairs.csv", pairs, "sentence1,sentence2,score")
    profile = str(embedded / "profile.toml")
    benched = bench([embedded / "dense", embedded / "engine"], profile=profile, dataset=data)
    assert [engine.metric_name for engine in benched.engines] == ["spearman", "spearman"]
    assert benched.engines[1].difference_ci is not None
    write_report(run.path)
    assert "rank agreement" in (run.path / "report.html").read_text()


def test_the_model_is_not_asked_about_its_own_answers_before_a_search(
    embedded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(embedded, task="embedding")
    inputs = read_inputs(settings, load_profile(settings.profile), SILENT)
    monkeypatch.setattr(dense_check, "predict", None)
    assert dense_check.check_dense(inputs, settings, SILENT).task is inputs.task


def test_the_folder_is_one_of_sentence_transformers(embedded: Path, tmp_path: Path) -> None:
    export(run=embedded / "run", output=tmp_path / "engine", pareto_idx=0)
    names = {path.relative_to(tmp_path / "engine").as_posix() for path in (tmp_path / "engine").rglob("*")}
    assert {"modules.json", "1_Pooling/config.json", "config_sentence_transformers.json"} <= names
    assert AutoConfig.from_pretrained(tmp_path / "engine").architectures == ["BertModel"]
    again = open_checkpoint(tmp_path / "engine").sentence
    assert again is not None and (again.pooling, again.prompt) == ("cls", "w7 ")
    session = load_engine(tmp_path / "engine").session
    assert [item.name for item in session.get_outputs()] == ["last_hidden_state", "sentence_embedding"]


def read(folder: Path, **changes: Any) -> None:
    settings = settings_for(folder, **{"task": "embedding", "parts": 1} | changes)
    read_inputs(settings, load_profile(settings.profile), SILENT)


def test_what_learns_from_labels_is_refused(embedded: Path) -> None:
    with pytest.raises(ConfigurationError, match="strategy sandwich learns from labels.*take teacher"):
        read(embedded, strategy="sandwich")
    with pytest.raises(ConfigurationError, match="method layer-drop learns from labels.*student"):
        read(embedded, method="layer-drop")
    with pytest.raises(ConfigurationError, match="method block learns from labels"):
        read(embedded, method="block", distil=False)


def test_a_pooling_may_be_named(embedded: Path, tmp_path: Path) -> None:
    settings = settings_for(embedded, task="embedding", pooling="mean")
    kind = read_task(settings, open_checkpoint(settings.model)).kind
    assert kind.to_json()["sentence"]["pooling"] == "mean"
    with pytest.raises(ConfigurationError, match="'last'.*cls, max, mean"):
        read(embedded, pooling="last")
    labelled = write_csv(tmp_path / "train.csv", [(f"w{i} w{i + 1}", i % 2) for i in range(120)])
    with pytest.raises(ConfigurationError, match="pooling makes vectors.*classification does not"):
        read(embedded, task="classification", dataset=str(labelled), pooling="mean")
