"""Token classification from a search to predictions and a bench."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from compresskit.bundle import load_engine
from compresskit.pipeline.bench import bench
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.runs import RunDirectory
from tests.pipeline.make import make_model, settings_for
from tests.tasks.make import tagged_lines, tagged_rows, tokenizer, write_json_lines


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs and a finished run of a model that tags by the word alone."""
    folder = tmp_path_factory.mktemp("tagged")
    (folder / "data").mkdir()
    for seed, (name, rows) in enumerate({"train": 400, "test": 60}.items()):
        write_json_lines(folder / "data" / f"{name}.jsonl", tagged_lines(rows, seed))
    make_model(folder, tokenizer(), layers=2)
    search(settings_for(folder, trials=3, epochs=3.0, learning_rate=1e-2, strategy="random"), folder / "run")
    return folder


def test_from_a_search_to_entities_and_a_bench(tagged: Path) -> None:
    front = RunDirectory.open(tagged / "run").front()
    assert front.dense is not None and front.dense.metric is not None and front.dense.metric > 0.9
    assert front.points and all(point.metric_name == "entity_f1" for point in front.points)
    manifest = export(run=tagged / "run", output=tagged / "engine", dense=True)
    assert manifest.task == {"name": "tokens", "rule": "marks"}
    assert manifest.labels == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    assert manifest.test_metric is not None and manifest.test_metric > 0.9
    config = json.loads((tagged / "engine" / "config.json").read_text())
    assert config["architectures"] == ["BertForTokenClassification"]
    assert config["id2label"] == {str(i): name for i, name in enumerate(manifest.labels)}
    engine = load_engine(tagged / "engine")
    lines = tagged_rows(40, seed=9)
    found = engine.predict([words for words, _ in lines])
    texts = [" ".join(words) for words, _ in lines]
    assert found == engine.predict(texts)
    for text, entities in zip(texts, found, strict=True):
        assert all(each["text"] == text[each["start"] : each["end"]] for each in entities)
    right = [
        [each["entity"] for each in entities] == [tag[2:] for tag in tags if tag != "O"]
        for (_, tags), entities in zip(lines, found, strict=True)
    ]
    assert np.mean(right) > 0.8
    benched = bench([tagged / "engine"], profile=str(tagged / "profile.toml"), dataset=tagged / "data")
    assert benched.engines[0].metric == pytest.approx(manifest.test_metric)
