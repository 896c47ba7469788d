"""Multiple choice, from a search to answers, a bench and a report."""

from __future__ import annotations

from pathlib import Path

import pytest

from compresskit.bundle import load_engine
from compresskit.pipeline.bench import bench
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.report.files import write_report
from compresskit.runs import RunDirectory
from compresskit.target.profile import Profile
from tests.pipeline.make import make_model, settings_for
from tests.tasks.make import tokenizer, write_json_lines
from tests.tasks.test_choice import questions, solvable


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs and a finished run of a model whose right choices have a word of their own."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "data").mkdir()
    for seed, (name, rows) in enumerate({"train": 400, "test": 80}.items()):
        write_json_lines(folder / "data" / f"{name}.jsonl", solvable(questions(rows, seed)))
    make_model(folder, tokenizer(), layers=2)
    search(settings_for(folder, trials=3, epochs=6.0, learning_rate=1e-2), folder / "run")
    return folder


def test_from_a_search_to_answers_a_bench_and_a_report(asked: Path) -> None:
    run = RunDirectory.open(asked / "run")
    front = run.front()
    assert front.dense is not None and front.dense.metric is not None and front.dense.metric > 0.8
    assert Profile.from_json(run.settings["profile"]).choices == 3  # the data's
    manifest = export(run=asked / "run", output=asked / "engine", dense=True, trim_vocabulary=True)
    assert manifest.task == {"name": "choice", "choices": 3}
    assert manifest.test_metric is not None and manifest.test_metric > 0.8
    assert manifest.macs % 3 == 0
    engine = load_engine(asked / "engine")
    rows = solvable(questions(40, seed=9))
    found = engine.predict([(row["question"], row["choices"]) for row in rows])
    assert sum(each["choice"] == row["label"] for each, row in zip(found, rows, strict=True)) > 30
    two, three = engine.predict([(rows[0]["question"], rows[0]["choices"][:2]), ("w1", rows[0]["choices"])])
    assert len(two["scores"]) == 2 and len(three["scores"]) == 3
    first, second = found[0]["scores"][:2]
    assert two["scores"][0] == pytest.approx(first / (first + second), abs=1e-4)
    benched = bench([asked / "engine"], profile=str(asked / "profile.toml"), dataset=asked / "data")
    assert benched.engines[0].metric == pytest.approx(manifest.test_metric)
    assert benched.profile["choices"] == 3  # the engine's
    assert "ORTModelForMultipleChoice" in (asked / "engine" / "README.md").read_text()
    text = write_report(run.path).read_text()
    assert "3 choices" in text and "validation questions differ from those of the dense model" in text
