"""Question answering, from nested files of SQuAD to answers, a bench and a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compresskit.bundle import load_engine
from compresskit.pipeline.bench import bench
from compresskit.pipeline.export import export
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.search import search
from compresskit.pipeline.training.models import open_checkpoint
from compresskit.report.files import write_report
from compresskit.runs import RunDirectory
from tests.pipeline.make import make_model, settings_for
from tests.tasks.make import WORDS, tokenizer

NAMES, OTHERS = WORDS[:20], WORDS[40:]


def paragraphs(count: int, seed: int) -> list[dict[str, Any]]:
    """Texts of up to three windows; the answer is the one name in a text, or none."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        words = rng.choice(OTHERS, rng.integers(3, 20)).tolist()
        answers = []
        if number % 3:
            place = int(rng.integers(len(words)))
            words[place] = str(rng.choice(NAMES))
            answers = [{"text": words[place], "answer_start": len(" ".join([*words[:place], ""]))}]
        asked = {"question": f"w30 w3{number % 7}", "answers": answers, "is_impossible": not answers}
        found.append({"context": " ".join(words), "qas": [asked]})
    return found


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs and a finished run."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "data").mkdir()
    for seed, (name, count) in enumerate({"train-v2.0": 240, "dev-v2.0": 90}.items()):
        whole = {"version": "v2.0", "data": [{"title": "t", "paragraphs": paragraphs(count, seed)}]}
        (folder / "data" / f"{name}.json").write_text(json.dumps(whole, indent=1))
    make_model(folder, tokenizer(), layers=2)
    search(settings_for(folder, trials=2, epochs=4.0, learning_rate=1e-2, strategy="random"), folder / "run")
    return folder


def test_from_a_search_to_answers_a_bench_and_a_report(asked: Path) -> None:
    run = RunDirectory.open(asked / "run")
    front = run.front()
    assert front.dense is not None and front.dense.metric is not None and front.dense.metric > 0.8
    assert front.points and all(point.metric_name == "f1" and point.fidelity for point in front.points)
    manifest = export(run=asked / "run", output=asked / "engine", dense=True, trim_vocabulary=True)
    assert manifest.labels == [] and manifest.task["name"] == "qa" and manifest.task["null_threshold"]
    assert manifest.test_metric is not None and manifest.test_metric > 0.8
    engine = load_engine(asked / "engine")
    assert [item.name for item in engine.session.get_outputs()] == ["start_logits", "end_logits"]
    held = paragraphs(40, seed=9)
    found = engine.predict(
        [{"question": each["qas"][0]["question"], "context": each["context"]} for each in held]
    )
    right = 0
    for each, said in zip(held, found, strict=True):
        assert each["context"][said["start"] : said["end"]] == said["answer"] and 0 <= said["score"] <= 1
        right += said["answer"] == "".join(answer["text"] for answer in each["qas"][0]["answers"])
    assert right > 30
    benched = bench([asked / "engine"], profile=str(asked / "profile.toml"), dataset=asked / "data")
    assert benched.engines[0].metric == pytest.approx(manifest.test_metric)
    write_report(run.path)
    assert "f1 on validation data" in (run.path / "report.html").read_text()


def test_a_checkpoint_for_question_answering_keeps_its_head(asked: Path) -> None:
    export(run=asked / "run", output=asked / "checkpoint", dense=True)
    settings = settings_for(asked, model=str(asked / "checkpoint"))
    checkpoint = open_checkpoint(settings.model)
    assert checkpoint.for_kind(read_task(settings, checkpoint).kind).is_fine_tuned
