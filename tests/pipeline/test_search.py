"""The main job on a small model."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
import torch

from compresskit.errors import ConfigurationError, RunError
from compresskit.pipeline.evaluation.evaluator import Evaluator
from compresskit.pipeline.evaluation.final_front import write_front
from compresskit.pipeline.search import search
from compresskit.pipeline.store import reuse
from compresskit.runs import RunDirectory
from compresskit.runs.records import Front
from tests.pipeline.make import settings_for


def test_run_holds_a_front_with_intervals(run: Path) -> None:
    front = RunDirectory.open(run).front()
    assert front.dense is not None
    latencies = [point.latency_ms or 0 for point in front.points]
    assert latencies == sorted(latencies)
    assert latencies[0] > 0
    for point in front.points:
        assert point.latency_ms is not None
        assert point.latency_ci_ms is not None
        low, high = point.latency_ci_ms
        assert low <= point.latency_ms <= high
    assert len({record.signature for record in RunDirectory.open(run).trials()}) == 6


def test_the_front_is_scored_in_float32_though_training_was_in_bfloat16(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compresskit.training.recipe.has_fast_bf16", lambda: True)
    dtypes: list[torch.dtype] = []

    def write(run: RunDirectory, records: Any, objectives: Any, evaluator: Evaluator, *rest: Any) -> Front:
        row = evaluator.stage.task.validation.encoded[0]
        batch = {name: torch.tensor([value]) for name, value in row.items()}
        classifier = evaluator.supernet.model.get_submodule("classifier")
        with (
            classifier.register_forward_hook(lambda *passed: dtypes.append(passed[2].dtype)),
            torch.no_grad(),
        ):
            evaluator.supernet(**batch)
        return write_front(run, records, objectives, evaluator, *rest)

    monkeypatch.setattr("compresskit.pipeline.search.write_front", write)
    search(settings_for(inputs, trials=3, epochs=0.2), tmp_path / "run")
    assert dtypes == [torch.float32]


class TestFromAnotherRun:
    def test_network_and_scores_are_used_again_under_another_profile(
        self, inputs: Path, run: Path, tmp_path: Path
    ) -> None:
        profile = tmp_path / "longer.toml"
        profile.write_text((inputs / "profile.toml").read_text().replace("length = 16", "length = 32"))
        said: list[str] = []
        search(None, tmp_path / "run", start_from=run, changes={"profile": str(profile)}, say=said.append)
        first, second = RunDirectory.open(run).trials(), RunDirectory.open(tmp_path / "run").trials()
        assert not any(line.startswith(("dense: step", "supernet: step")) for line in said)
        assert [record.metric for record in second] == [record.metric for record in first]
        assert all((a.macs or 0) < (b.macs or 0) for a, b in zip(first, second, strict=True))

    def test_a_profile_file_need_not_be_there_any_more(self, run: Path, tmp_path: Path) -> None:
        kept = RunDirectory.open(run).settings["profile"]
        search(None, tmp_path / "run", start_from=run, changes={"trials": 3})
        assert RunDirectory.open(tmp_path / "run").settings["profile"] == kept

    def test_the_run_itself_is_not_deleted(self, run: Path) -> None:
        with pytest.raises(ConfigurationError, match="is the run to start from"):
            search(None, run, start_from=run, force=True)
        assert (run / "supernet" / "model").is_dir()

    def test_a_copy_that_was_cut_off_is_made_again(
        self, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copied, copy_folder = [], reuse._copy_folder

        def fills_the_disk(source: Path, place: Path) -> None:
            copied.append(source)
            if len(copied) == 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            copy_folder(source, place)

        with monkeypatch.context() as patch:
            patch.setattr(reuse, "_copy_folder", fills_the_disk)
            with pytest.raises(RunError, match="no space left.*--resume"):
                search(None, tmp_path / "run", start_from=run)
        assert not (tmp_path / "run" / "supernet" / "dense_model").exists()
        said: list[str] = []
        search(None, tmp_path / "run", resume=True, say=said.append)
        assert not any(line.startswith(("dense: step", "supernet: step")) for line in said)
        first, second = RunDirectory.open(run).trials(), RunDirectory.open(tmp_path / "run").trials()
        assert [record.metric for record in second] == [record.metric for record in first]

    def test_what_needs_other_training_raises(self, run: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="strategy is 'sandwich'.*'teacher'"):
            search(None, tmp_path / "run", start_from=run, changes={"strategy": "sandwich"})
        assert not (tmp_path / "run").exists()
