"""Constraints and warm starts of a search, from the settings to the front."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from onnx import ModelProto

from compresskit.architecture import Candidate
from compresskit.errors import ConfigurationError, RunError
from compresskit.pipeline.evaluation.evaluator import Evaluator, Scores
from compresskit.pipeline.search import search
from compresskit.runs import RunDirectory
from compresskit.target.base import Measurement
from compresskit.target.external_weights import LightGraph
from tests.pipeline.make import settings_for


@pytest.fixture(scope="module")
def run(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose front holds all that was tried, so that it has architectures of its own."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    shutil.copytree(run, folder)
    with RunDirectory.open(folder, writable=True) as found:
        front = found.front()
        points = [
            replace(
                front.points[0],
                idx=idx,
                trial_id=record.trial_id,
                architecture=record.architecture,
                signature=record.signature,
                latency_ms=record.latency_ms,
            )
            for idx, record in enumerate(found.trials())
        ]
        found.write_front(replace(front, points=tuple(points)))
    return folder


class Weighing:
    """A target on which a graph takes 1 ms a MB, however busy the machine is."""

    def __enter__(self) -> Weighing:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def conditions(self) -> dict[str, Any]:
        return {"onnxruntime": version("onnxruntime")}

    def measure(self, model: ModelProto | LightGraph, **_: Any) -> Measurement:
        ms = (model.ByteSize() if isinstance(model, ModelProto) else model.size_bytes) / 1e6
        around = (0.99 * ms, 1.01 * ms)
        return Measurement((ms,), (1.0,), ms, around, ms, around, 1.0, ms, None, None, 1e3 / ms)


class TestConstraints:
    @pytest.mark.usefixtures("no_prior")
    def test_the_front_lists_what_keeps_them(
        self, run: Path, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("compresskit.pipeline.search.open_target", lambda *_, **__: Weighing())
        sizes = sorted(record.size_bytes or 0 for record in RunDirectory.open(run).trials())
        limit = (sizes[2] + sizes[3]) / 2e6
        profile = str(inputs / "profile.toml")
        changes = {"max_latency_ms": limit, "searcher": "mo-rea", "trials": 12, "profile": profile}
        front = search(None, tmp_path / "run", start_from=run, changes=changes)
        found = RunDirectory.open(tmp_path / "run")
        assert found.settings["max_latency_ms"] == limit
        assert found.info["infeasible"] is None
        assert all((point.latency_ms or 0) <= limit for point in front.points)
        assert any((record.latency_ms or 0) > limit for record in found.trials())

    @pytest.mark.usefixtures("no_prior")
    def test_without_one_that_keeps_them_the_nearest_is_named(
        self, run: Path, inputs: Path, tmp_path: Path
    ) -> None:
        said: list[str] = []
        changes = {"max_latency_ms": 1e-6, "max_drop": 0.5, "profile": str(inputs / "profile.toml")}
        front = search(None, tmp_path / "run", start_from=run, changes=changes, say=said.append)
        note = RunDirectory.open(tmp_path / "run").info["infeasible"]
        dense = RunDirectory.open(run).info["dense_metric"]
        assert f"a metric of at least {dense - 0.005:.4f} and at most 1e-06 ms; the nearest is trial" in note
        assert f"warning: {note}" in said
        assert len(front.points) >= 1

    def test_what_is_no_better_than_one_answer_to_every_row_is_not_on_the_front(
        self, run: Path, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The networks of these tests learn nothing, so a network's size stands for its metric."""

        def size(self: Evaluator, candidate: Candidate, *_: object) -> Scores:
            return Scores(self.macs(candidate.architecture) / self.macs(self.supernet.full), None)

        def validated(self: Evaluator, candidate: Candidate, *_: object) -> tuple[Scores, object]:
            return size(self, candidate), self.stage.task.validation.labels

        monkeypatch.setattr(Evaluator, "validated", validated)
        monkeypatch.setattr(Evaluator, "search_scores", size)
        monkeypatch.setattr("compresskit.pipeline.store.reuse.known_scores", lambda *_: {})
        monkeypatch.setattr("compresskit.tasks.task.Task.prior", lambda *_: 0.4)
        front = search(None, tmp_path / "run", start_from=run)
        assert front.points and all((point.metric or 0.0) > 0.4 for point in front.points)
        assert any((record.metric or 0.0) <= 0.4 for record in RunDirectory.open(tmp_path / "run").trials())

    def test_without_anything_better_the_search_says_so(
        self, run: Path, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        metrics = sorted({record.metric or 0.0 for record in RunDirectory.open(run).trials()})
        monkeypatch.setattr("compresskit.tasks.task.Task.prior", lambda *_: metrics[-1])
        said: list[str] = []
        search(None, tmp_path / "run", start_from=run, say=said.append)
        note = RunDirectory.open(tmp_path / "run").info["infeasible"]
        assert f"has a metric above {metrics[-1]:.4f} (the majority baseline)" in note
        assert f"warning: {note}" in said
        assert any("none for the front yet" in line for line in said)

    def test_values_that_make_no_sense(self, inputs: Path) -> None:
        with pytest.raises(ConfigurationError, match="max_drop is -1"):
            settings_for(inputs, max_drop=-1.0)
        with pytest.raises(ConfigurationError, match="max_latency_ms is 0"):
            settings_for(inputs, max_latency_ms=0.0)


def shape_of(candidate: Candidate) -> tuple[int, int]:
    """Heads and units in all: where they lie, each run's own ranking says."""
    heads, units = zip(*candidate.architecture.shapes, strict=True)
    return sum(heads), sum(units)


class TestWarmStart:
    def test_the_front_of_another_run_is_tried_first(self, run: Path, inputs: Path, tmp_path: Path) -> None:
        asked = settings_for(inputs, seed=7)
        said: list[str] = []
        search(asked, tmp_path / "run", warm_start=run, say=said.append)
        found, source = RunDirectory.open(tmp_path / "run"), RunDirectory.open(run)
        first = [shape_of(record.candidate) for record in found.trials()]
        given = [shape_of(point.candidate) for point in source.front().points]
        assert any(f"the {len(given)} points of run are tried" in line for line in said)
        wanted = list(dict.fromkeys([*first[:3], *given]))
        assert first[: len(wanted)] == wanted[: len(first)]
        assert len(wanted) > 3
        assert found.info["warm_start"]["run"] == "run"
        assert [item["architecture"] for item in found.info["warm_start"]["candidates"]] == [
            point.architecture for point in source.front().points
        ]

    def test_it_needs_no_other_run_to_be_resumed(self, run: Path, inputs: Path, tmp_path: Path) -> None:
        search(settings_for(inputs, trials=2), tmp_path / "run", warm_start=run)
        search(None, tmp_path / "run", resume=True, changes={"trials": 5})
        tried = [shape_of(record.candidate) for record in RunDirectory.open(tmp_path / "run").trials()]
        given = [shape_of(point.candidate) for point in RunDirectory.open(run).front().points]
        new = [shape for shape in given if shape not in tried[:3]]
        assert tried[3:] == new[:2]

    def test_a_run_of_other_dimensions_is_refused(self, run: Path, inputs: Path, tmp_path: Path) -> None:
        from transformers import BertConfig, BertModel

        config = BertConfig.from_pretrained(inputs / "model")
        config.num_hidden_layers = 2
        BertModel(config).save_pretrained(tmp_path / "model")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (tmp_path / "model" / name).write_bytes((inputs / "model" / name).read_bytes())
        asked = settings_for(inputs, model=str(tmp_path / "model"))
        with pytest.raises(ConfigurationError, match=r"a bert of 3 layers.* a bert of 2 layers"):
            search(asked, tmp_path / "run", warm_start=run)
        assert not (tmp_path / "run").exists()

    def test_architectures_outside_the_space_are_refused(
        self, run: Path, inputs: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(ConfigurationError, match="searched space 'ranked'; space 'layer'"):
            search(settings_for(inputs, space="layer"), tmp_path / "run", warm_start=run)

    def test_a_run_without_a_front_is_refused(self, inputs: Path, tmp_path: Path) -> None:
        with RunDirectory.create(tmp_path / "other", {}):
            pass
        with pytest.raises(RunError, match="no front yet"):
            search(settings_for(inputs), tmp_path / "run", warm_start=tmp_path / "other")
