"""Vectors of texts, from plain text and a model of sentence-transformers to engines and a bench."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoConfig

from compresskit.bundle import load_engine
from compresskit.display import SILENT, Display, Lines
from compresskit.errors import ConfigurationError, DataError, RunError
from compresskit.pipeline.bench import bench
from compresskit.pipeline.export import export
from compresskit.pipeline.inputs import read_inputs, read_task
from compresskit.pipeline.search import search
from compresskit.pipeline.store.rotation import rotation_of
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
    judges = (write_pairs(folder / "pairs.csv"), write_retrieval(folder / "wanted"))
    settings = settings_for(folder, task="embedding", trials=3, epochs=4.0, parts=1, judge=judges)
    settings = replace(settings, dims=(8, 16))
    search(settings, folder / "run")
    return folder


def write_pairs(path: Path) -> Path:
    """Thirty pairs; a score is the share of words that a pair has in common."""
    rng = np.random.default_rng(1)
    rows = []
    for place in range(30):
        first = sentence(rng).split()
        second = [*first[: place % 8], *sentence(rng).split()[place % 8 :]]
        rows.append((" ".join(first), " ".join(second), place % 8))
    return write_csv(path, rows, "sentence1,sentence2,score")


def write_retrieval(folder: Path) -> Path:
    """Ten documents; a query is half of one."""
    rng = np.random.default_rng(2)
    texts = [sentence(rng) for _ in range(10)]
    write_csv(folder / "corpus.csv", [*enumerate(texts)], "_id,text")
    write_csv(folder / "queries.csv", [(place, text[:20]) for place, text in enumerate(texts)], "_id,text")
    return write_csv(folder / "qrels.csv", [(i, i, 1) for i in range(9)], "query-id,corpus-id,score").parent


def test_from_plain_texts_to_vectors_a_bench_and_a_report(embedded: Path) -> None:
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
    data = embedded / "pairs.csv"
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


def test_judges_score_the_front_beside_agreement(embedded: Path, tmp_path: Path) -> None:
    run = RunDirectory.open(embedded / "run")
    front = run.front()
    assert front.dense is not None
    found = [front.dense.judges, *(point.judges for point in front.points)]
    assert all(list(judges) == ["pairs", "wanted"] for judges in found)
    assert {each["pairs"].metric_name for each in found} == {"spearman"}
    assert (found[0]["pairs"].rows, found[0]["wanted"].rows) == (30, 9)
    assert found[0]["pairs"].prior == 0 and 0 < found[0]["wanted"].prior < found[0]["wanted"].metric
    assert found[0]["pairs"].difference_ci is None
    for point in front.points:
        for name, said in point.judges.items():
            assert said.difference_ci is not None and said.metric_ci[0] <= said.metric <= said.metric_ci[1]
            difference = said.metric - front.dense.judges[name].metric
            assert said.difference_ci[0] - 1e-9 <= difference <= said.difference_ci[1] + 1e-9
    manifest = export(run=embedded / "run", output=tmp_path / "engine", pareto_idx=0)
    engines = bench(
        [tmp_path / "engine"], profile=str(embedded / "profile.toml"), dataset=embedded / "wanted"
    ).engines
    said = manifest.judges["wanted"]
    assert said["metric"] == pytest.approx(engines[0].metric) == pytest.approx(found[1]["wanted"].metric)
    assert said["dense_metric"] == found[0]["wanted"].metric
    assert "| wanted, ndcg@10 | " in (tmp_path / "engine" / "README.md").read_text()
    write_report(run.path)
    assert "one vector" in (run.path / "report.html").read_text()


def test_vectors_are_shortened_along_what_carries_most(embedded: Path, tmp_path: Path) -> None:
    run = RunDirectory.open(embedded / "run")
    front = run.front()
    assert front.dense is not None and list(front.dense.dims) == ["16", "8"]
    whole, half, quarter = (1.0, *(front.dense.dims[width]["rank_agreement"].metric for width in ("16", "8")))
    assert whole > half > quarter > 0.5
    assert list(front.points[0].dims["8"]) == ["rank_agreement", "pairs", "wanted"]
    manifest = export(run=run.path, output=tmp_path / "short", dense=True, dims=16)
    engine, dense = load_engine(tmp_path / "short"), load_engine(embedded / "dense")
    texts = (embedded / "data" / "texts.txt").read_text().splitlines()[:200]
    vectors, full = engine.predict(texts), dense.predict(texts)
    settings = settings_for(embedded, task="embedding")
    rotation = rotation_of(run, read_task(settings, open_checkpoint(settings.model)))
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(32), atol=1e-5)
    wanted = full @ rotation[:, :16]
    np.testing.assert_allclose(vectors, wanted / np.linalg.norm(wanted, axis=1)[:, None], atol=1e-4)
    prefix = full[:, :16] / np.linalg.norm(full[:, :16], axis=1)[:, None]
    error, lost = (np.abs(each @ each.T - full @ full.T).mean() for each in (vectors, prefix))
    assert error < lost
    assert manifest.test["dense_metric"] == pytest.approx(1) and 0.5 < (manifest.test_metric or 0) < 1
    assert "latency_ms" not in manifest.lineage
    assert "| numbers in a vector | 16, of 32 |" in (tmp_path / "short/README.md").read_text()
    assert (
        json.loads((tmp_path / "short/1_Pooling/config.json").read_text())["word_embedding_dimension"] == 16
    )
    checkpoint = open_checkpoint(tmp_path / "short")
    task = read_task(settings_for(embedded, task="embedding", model=str(tmp_path / "short")), checkpoint)
    again = SuperNetwork(load_dense(checkpoint.for_kind(task.kind), task, 0).model)
    np.testing.assert_allclose(engine.predict(task.test.raw), predict(again, task, task.test), atol=1e-4)
    with pytest.raises(ConfigurationError, match="dims is 32; permitted: 1 to 31"):
        export(run=run.path, output=tmp_path / "long", dense=True, dims=32)
    with pytest.raises(ConfigurationError, match="one width; with dims take rank_agreement"):
        read(embedded, dims=(8,), metric="cosine")


def test_a_run_that_has_ended_is_judged_when_resumed(embedded: Path, tmp_path: Path) -> None:
    shutil.copytree(embedded / "run", tmp_path / "run")
    before = RunDirectory.open(tmp_path / "run")
    (tmp_path / "more").mkdir()
    more = write_pairs(tmp_path / "more" / "pairs.csv")
    judges = [embedded / "pairs.csv", more]
    front = search(None, tmp_path / "run", resume=True, changes={"judge": judges})
    names = [str(path) for path in judges]  # both files have one name
    assert [list(point.judges) for point in front.points] == [names] * len(front.points)
    assert len(RunDirectory.open(tmp_path / "run").trials()) == len(before.trials())
    more.write_text(more.read_text().replace(",7", ",6"))
    with pytest.raises(RunError, match="judge .*pairs.csv holds other rows.*--resume"):
        export(run=tmp_path / "run", output=tmp_path / "engine", pareto_idx=0)


def test_judges_are_checked_before_training(embedded: Path, tmp_path: Path) -> None:
    for path, rows, header, message in (
        ("one.csv", [("w1", 1), ("w2", 2)], "text,score", "one.csv has one column of texts"),
        ("even.csv", [("w1", "w2", 1), ("w2", "w3", 1)], "sentence1,sentence2,score", "all scores .* equal"),
        ("words.csv", [("w1", "w2", "yes")], "sentence1,sentence2,score", "holds no numbers"),
    ):
        with pytest.raises(DataError, match=f"judge .*{message}.*Vectors are scored by a file of pairs"):
            read(embedded, judge=[write_csv(tmp_path / path, rows, header)])
    with pytest.raises(DataError, match="judge .*gone.* does not exist"):
        read(embedded, judge=[tmp_path / "gone"])
    with pytest.raises(ConfigurationError, match="judge scores vectors.*classification does not give"):
        data = write_csv(tmp_path / "train.csv", [(f"w{i} w{i + 1}", i % 2) for i in range(120)])
        read(embedded, task="classification", dataset=str(data), judge=[embedded / "pairs.csv"])


def test_texts_of_judges_that_train_too_are_counted(embedded: Path, tmp_path: Path) -> None:
    texts = (embedded / "data" / "texts.txt").read_text().splitlines()
    rows = [(f"{texts[i]} w1 w2", texts[i + 1], i) for i in range(100)]
    judge = write_csv(tmp_path / "known.csv", rows, "sentence1,sentence2,score")
    told: list[str] = []
    read(embedded, judge=[judge], display=Lines(told.append))
    (line,) = [line for line in told if "stand in training texts" in line]
    (count,) = re.findall(r"warning: (\d+) of 200 texts of judge known stand", line)
    assert 60 <= int(count) <= 95  # of 100 texts those that do not validate or test
    assert any("judge known: spearman of 100 rows" in line for line in told)


def test_the_folder_is_one_of_sentence_transformers(embedded: Path, tmp_path: Path) -> None:
    export(run=embedded / "run", output=tmp_path / "engine", pareto_idx=0)
    names = {path.relative_to(tmp_path / "engine").as_posix() for path in (tmp_path / "engine").rglob("*")}
    assert {"modules.json", "1_Pooling/config.json", "config_sentence_transformers.json"} <= names
    assert AutoConfig.from_pretrained(tmp_path / "engine").architectures == ["BertModel"]
    again = open_checkpoint(tmp_path / "engine").sentence
    assert again is not None and (again.pooling, again.prompt) == ("cls", "w7 ")
    session = load_engine(tmp_path / "engine").session
    assert [item.name for item in session.get_outputs()] == ["last_hidden_state", "sentence_embedding"]


def read(folder: Path, display: Display = SILENT, **changes: Any) -> None:
    settings = settings_for(folder, **{"task": "embedding", "parts": 1} | changes)
    read_inputs(settings, load_profile(settings.profile), display)


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
    with pytest.raises(ConfigurationError, match="'last'.*cls, lasttoken, max, mean"):
        read(embedded, pooling="last")
    labelled = write_csv(tmp_path / "train.csv", [(f"w{i} w{i + 1}", i % 2) for i in range(120)])
    with pytest.raises(ConfigurationError, match="pooling makes vectors.*classification does not give"):
        read(embedded, task="classification", dataset=str(labelled), pooling="mean")
