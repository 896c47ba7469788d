"""Several labels a text, from a search to predictions, a bench and a report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compresskit.bundle import load_engine
from compresskit.pipeline.bench import bench
from compresskit.pipeline.export import export
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.search import search
from compresskit.pipeline.training.models import load_dense, load_model, open_checkpoint
from compresskit.report.files import write_report
from compresskit.runs import RunDirectory
from tests.pipeline.make import make_model, settings_for
from tests.tasks.make import labelled as single_labels
from tests.tasks.make import tokenizer, write_csv, write_json_lines
from tests.tasks.test_labels import labelled_sets


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs and a finished run of a model whose labels hang on single words."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "data").mkdir()
    for seed, (name, rows) in enumerate({"train": 500, "test": 80}.items()):
        write_json_lines(folder / "data" / f"{name}.jsonl", labelled_sets(rows, seed))
    make_model(folder, tokenizer(), layers=2)
    search(settings_for(folder, trials=3, epochs=8.0, learning_rate=5e-3, strategy="random"), folder / "run")
    return folder


def test_from_a_search_to_labels_a_bench_and_a_report(labelled: Path) -> None:
    run = RunDirectory.open(labelled / "run")
    front = run.front()
    assert front.dense is not None and front.dense.metric is not None and front.dense.metric > 0.9
    assert front.points and all(point.metric_name == "micro_f1" for point in front.points)
    manifest = export(run=labelled / "run", output=labelled / "engine", dense=True)
    assert manifest.labels == ["LOC", "PER"]
    assert manifest.task["name"] == "labels" and len(set(manifest.task["thresholds"])) == 1
    assert manifest.test_metric is not None and manifest.test_metric > 0.9
    config = json.loads((labelled / "engine" / "config.json").read_text())
    assert config["problem_type"] == "multi_label_classification"
    engine = load_engine(labelled / "engine")
    rows = labelled_sets(40, seed=9)
    found = engine.predict([row["text"] for row in rows])
    said = {(place, each["label"]) for place, labels in enumerate(found) for each in labels}
    true = {(place, label) for place, row in enumerate(rows) for label in row["labels"]}
    assert 2 * len(said & true) / (len(said) + len(true)) > 0.8
    benched = bench([labelled / "engine"], profile=str(labelled / "profile.toml"), dataset=labelled / "data")
    assert benched.engines[0].metric == pytest.approx(manifest.test_metric)
    write_report(run.path)
    assert "micro f1" in (run.path / "report.html").read_text()


def test_a_new_head_begins_with_the_odds_of_each_label_and_a_kept_one_with_its_own(labelled: Path) -> None:
    settings = settings_for(labelled)
    checkpoint = open_checkpoint(settings.model)
    task = read_task(settings, checkpoint)
    fresh: Any = load_dense(checkpoint.for_kind(task.kind), task, 0).model
    np.testing.assert_allclose(fresh.classifier.bias.sigmoid().tolist(), task.train.labels.mean(0), rtol=1e-5)
    kept: Any = load_model(labelled / "run" / "supernet" / "dense_model")
    export(run=labelled / "run", output=labelled / "kept", dense=True)
    checkpoint = open_checkpoint(str(labelled / "kept"))
    again: Any = load_dense(checkpoint.for_kind(task.kind), task, 0).model
    assert torch.equal(again.classifier.bias, kept.classifier.bias)


def test_a_checkpoint_for_several_labels_is_obeyed(labelled: Path) -> None:
    """Its head is kept, also where each row has a single label."""
    export(run=labelled / "run", output=labelled / "checkpoint", dense=True)
    settings = settings_for(labelled, model=str(labelled / "checkpoint"))
    checkpoint = open_checkpoint(settings.model)
    assert checkpoint.for_kind(read_task(settings, checkpoint).kind).is_fine_tuned
    single = write_csv(labelled / "single.csv", single_labels(90, labels=("PER", "LOC")))
    task = read_task(replace(settings, dataset=str(single)), checkpoint)
    assert task.kind.name == "labels" and checkpoint.for_kind(task.kind).is_fine_tuned
    named = read_task(replace(settings, dataset=str(single), task="classification"), checkpoint)
    assert not checkpoint.for_kind(named.kind).is_fine_tuned
