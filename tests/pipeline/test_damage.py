"""Files of a run that were damaged: whatever reads them ends in an error that names the file."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import CompresskitError, RunError
from compresskit.pipeline.evaluation.latency_record import CandidateLatency, shapes_of
from compresskit.pipeline.evaluation.variant_choice import known_variants
from compresskit.pipeline.exporting.measured_point import measured_latency
from compresskit.pipeline.search import search
from compresskit.pipeline.store import reuse
from compresskit.pipeline.store.dense_predictions import ANSWERS_FILE, DenseAnswers
from compresskit.pipeline.store.importance import SCORES_FILE, read_scores
from compresskit.pipeline.store.shared_weights import load_shared
from compresskit.pipeline.store.warm_start import _of_run
from compresskit.pipeline.training.models import load_model
from compresskit.pipeline.training.steps_spent import note_training
from compresskit.report.markdown import run_markdown
from compresskit.report.run_page import run_html
from compresskit.report.view import load_view
from compresskit.runs import RunDirectory
from compresskit.target.reference_level import Baselines
from tests.damage import damaged_texts, damaged_values
from tests.report.runs import bench_result

FILES = [
    *("run.json", "trials.jsonl", "latencies.jsonl", "pareto.json", "bench.json", "baselines.json"),
    *("changes.json", "examples.json"),
    *("supernet/progress.jsonl", "supernet/model/parts.json"),
]


@pytest.fixture
def copied(run: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    (folder / "bench.json").write_text(json.dumps(bench_result()))
    return folder


def read_all(path: Path) -> None:
    """All that a report, an export, and a resumed search read of a run before they compute."""
    view = load_view(path, examples=True)
    run_html(view)
    run_markdown(view)
    run = RunDirectory.open(path)
    reuse.stored_settings(run, {}, reuse.RESUMABLE, "a resumed search")
    reuse.known_scores(run)
    known_variants(run.info)
    DenseAnswers.of(run)
    _of_run(run)
    for point in run.front().points:
        measured_latency(run, point.signature, point.precision, run.info["variant"])
    for record in run.latencies():
        assert CandidateLatency.of(record).half_width >= 0
        assert shapes_of(record["signature"])
    Baselines(path / "baselines.json", {})
    note_training(run, "dense")
    load_parts(path)


def load_parts(path: Path) -> None:
    load_shared(path / "supernet" / "model")


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_told_and_never_a_raw_error(
    copied: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name != "supernet/model/parts.json":
        monkeypatch.setattr("tests.pipeline.test_damage.load_parts", lambda _: None)  # it takes its time
    read_all(copied)
    file = copied / name
    whole = file.read_bytes()
    lines = whole.split(b"\n") if name.endswith("l") else [whole]
    place = next((i for i, line in enumerate(lines) if b'"speedup":' in line), 0)  # it has the most values
    told = 0
    for text in damaged_texts(whole):
        file.write_bytes(text)
        told += is_told(copied, file)
    if name == "latencies.jsonl":
        assert json.loads(lines[place])["speedup"]["times"] > 0
    for text in damaged_values(json.loads(lines[place]), random.Random(0), 80):
        file.write_bytes(b"\n".join([*lines[:place], text, *lines[place + 1 :]]))
        told += is_told(copied, file)
    assert told >= 4


def is_told(run: Path, file: Path) -> bool:
    try:
        read_all(run)
    except CompresskitError as error:
        assert file.name in str(error) or "is a run of version" in str(error), error
        return True
    return False


@pytest.mark.parametrize("name", ["run.json", "trials.jsonl", "latencies.jsonl", "baselines.json"])
def test_a_resumed_search_tells_damage_before_it_computes(copied: Path, name: str) -> None:
    (copied / name).write_bytes(b"{}\n" + (copied / name).read_bytes())
    said: list[str] = []
    with pytest.raises(CompresskitError, match=name):
        search(None, copied, resume=True, say=said.append)
    assert not any("step" in line for line in said)


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_a_damaged_model_is_told(copied: Path, file: str) -> None:
    folder = copied / "supernet" / "dense_model"
    whole = (folder / file).read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"\0" * len(whole)):
        (folder / file).write_bytes(damaged)
        with pytest.raises(RunError, match=rf"{folder} holds no model that loads .*--resume"):
            load_model(folder)


@pytest.mark.parametrize("file", [SCORES_FILE, ANSWERS_FILE])
def test_damaged_arrays_are_told(copied: Path, file: str) -> None:
    path = copied / "supernet" / file
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], b"\0" * 100):
        path.write_bytes(damaged)
        with pytest.raises(RunError, match=rf"{file} is damaged"):
            read_scores(copied / "supernet") if file == SCORES_FILE else DenseAnswers.of(
                RunDirectory.open(copied)
            )


@pytest.mark.parametrize(
    "damage", [{"corrected_median_ms": 0}, {"speedup": {"times": -1.0}}, {"corrected_ci_ms": [2.0, 1.0]}]
)
def test_figures_that_no_latency_has_are_told(run: Path, damage: dict[str, Any]) -> None:
    record = next(each for each in RunDirectory.open(run).latencies() if each.get("speedup"))
    damaged = {**record, **damage}
    if "speedup" in damage:
        damaged["speedup"] = {**record["speedup"], **damage["speedup"]}
    with pytest.raises(RunError, match=r"latencies\.jsonl is damaged: .* permitted: (above 0|the lower)"):
        CandidateLatency.of(damaged)


def test_a_front_without_its_number_of_rows_is_shown(copied: Path) -> None:
    file = copied / "pareto.json"
    front = json.loads(file.read_text())
    for point in (*front["points"], front["dense"]):
        assert point["metric_ci"] is not None
        point["rows"] = None
    file.write_text(json.dumps(front))
    assert '"95 %"' in run_html(load_view(copied))
