"""Runs and engines of an older version: `older/` has text files that one wrote, cut short."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compresskit.bundle.loader import load_engine
from compresskit.bundle.manifest import Manifest, hash_files, write_manifest
from compresskit.pipeline.bench import bench
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.pruning.reload import load_pruned
from compresskit.report.files import write_report
from compresskit.report.front_so_far import front_and_verdict
from compresskit.report.tables import front_with_verdict
from compresskit.runs import RunDirectory
from compresskit.runs.jsonl import append_record

OLDER = Path(__file__).parent / "older"
# Tables of a record whose keys are the format's own, not names of parameters or stages.
_TABLES = {"settings", "profile", "blueprint", "dims", "conditions", "dense"}


def as_older(value: Any, sample: Any) -> Any:
    """`value` with the keys alone that `sample` has, where both are tables of the format."""
    if isinstance(value, Mapping) and isinstance(sample, Mapping):
        kept = {key: value[key] for key in value.keys() & sample.keys()}
        return {
            key: as_older(item, sample[key]) if key in _TABLES and sample[key] else item
            for key, item in kept.items()
        }
    return value


def rewrite(file: Path) -> None:
    """One file of a run, with what the older version's has in each record."""
    sample = (OLDER / file.name).read_text().splitlines()
    if file.suffix == ".jsonl":
        records = [
            as_older(json.loads(line), json.loads(sample[0])) for line in file.read_text().splitlines()
        ]
        file.unlink()
        for record in records:
            append_record(file, record)
        return
    older = json.loads("\n".join(sample))
    value = as_older(json.loads(file.read_text()), older)
    if "points" in value:
        value["points"] = [as_older(point, older["points"][0]) for point in value["points"]]
    file.write_text(json.dumps(value))


@pytest.fixture
def older(run: Path, tmp_path: Path) -> Path:
    """A finished run with what the older version kept of it."""
    copy = tmp_path / "older"
    shutil.copytree(run, copy)
    for name in ("run.json", "pareto.json", "trials.jsonl", "latencies.jsonl"):
        rewrite(copy / name)
    assert "fingerprints" not in RunDirectory.open(copy).info
    return copy


def test_what_an_older_version_wrote_is_shown(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(OLDER, folder)
    (folder / "supernet").mkdir()
    (folder / "progress.jsonl").rename(folder / "supernet" / "progress.jsonl")
    run = RunDirectory.open(folder)
    front, verdict = front_and_verdict(run)
    assert [point.idx for point in front.points] == [0, 1] and front.dense is not None
    assert len(run.trials()) == 4 and len(run.latencies()) == 2
    assert front_with_verdict(front, verdict) is not None
    page = write_report(folder).read_text()
    assert "loss" in page
    for trial in run.trials()[:3]:  # as a search that was broken off
        assert trial.candidate.architecture
    (folder / "pareto.json").unlink()
    run.update(status="searching")
    assert front_and_verdict(RunDirectory.open(folder))[1].kind == "unfinished"


def test_a_manifest_of_an_older_version_says_task_and_session() -> None:
    manifest = Manifest.from_json(json.loads((OLDER / "compresskit.json").read_text()))
    assert manifest.kind.name == "classification" and manifest.kind.labels == ("bad", "good")
    assert not manifest.inputs and not manifest.runtime


def test_an_older_run_continues_with_a_note(older: Path, run: Path) -> None:
    (older / "pareto.json").unlink()
    lines = (older / "trials.jsonl").read_text().splitlines(keepends=True)
    (older / "trials.jsonl").write_text("".join(lines[:3]))
    said: list[str] = []
    search(None, older, resume=True, say=said.append)
    assert any("started by a version that kept no fingerprints" in line for line in said)
    found, unbroken = (RunDirectory.open(path).trials() for path in (older, run))
    assert [(trial.signature, trial.metric) for trial in found] == [
        (trial.signature, trial.metric) for trial in unbroken
    ]


def test_a_search_starts_from_an_older_run(older: Path, tmp_path: Path) -> None:
    front = search(None, tmp_path / "next", start_from=older, changes={"trials": 2})
    assert front.dense is not None and len(RunDirectory.open(tmp_path / "next").trials()) == 2


def test_an_older_engine_serves_and_is_measured(older: Path, tmp_path: Path) -> None:
    manifest = export(older, tmp_path / "engine", pareto_idx=0)
    texts = ["a very good room", "the soup was not good at all"]
    wanted = load_engine(tmp_path / "engine").predict(texts)
    known = as_older(manifest.to_json(), json.loads((OLDER / "compresskit.json").read_text()))
    assert "inputs" not in known and "task" not in known
    aged = replace(Manifest.from_json(known), files=hash_files(tmp_path / "engine"))
    write_manifest(tmp_path / "engine", aged)
    path = tmp_path / "engine" / "compresskit.json"
    path.write_text(json.dumps({key: value for key, value in aged.to_json().items() if key in known}))
    np.testing.assert_array_equal(load_engine(tmp_path / "engine").predict(texts), wanted)
    assert load_pruned(tmp_path / "engine")
    settings = RunDirectory.open(older).settings
    result = bench([tmp_path / "engine"], profile=_profile(settings, tmp_path), dataset=settings["dataset"])
    assert result.to_json()["engines"][0]["latency_ms"]


def _profile(settings: Mapping[str, Any], folder: Path) -> Path:
    path = folder / "profile.toml"
    path.write_text(f"length = {settings['profile']['length']}\nmax_seconds = 0.3\nmin_runs = 20\n")
    return path
