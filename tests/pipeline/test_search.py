"""The main job on a small model, whole and interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compresskit.architecture import Architecture
from compresskit.bundle.loader import load_engine
from compresskit.engine.count import count_macs, count_params
from compresskit.errors import (
    CompresskitError,
    ConfigurationError,
    DataError,
    RunError,
    SearchError,
    UnsupportedModelError,
)
from compresskit.pipeline.export import Choice, export
from compresskit.pipeline.search import search
from compresskit.pruning.reload import load_pruned
from compresskit.runs import RunDirectory
from tests.pipeline.make import make_inputs, settings_for, start

# Arguments: folder of the inputs, run, "new" or "resume". Checkpoints after every step.
SEARCH = """
import sys
from pathlib import Path
from typing import Any
import torch
import compresskit.training.progress as progress
from compresskit.pipeline.search import search
from tests.pipeline.make import settings_for
torch.set_num_threads(1)
progress.SAVE_EVERY_SECONDS = progress.REPORT_EVERY_SECONDS = 0.0
def say(line):
    print(line, file=sys.stderr, flush=True)
inputs, run, mode = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
search(settings_for(inputs) if mode == "new" else None, run, resume=mode == "resume", say=say)
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def run(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that was never interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    search(settings_for(inputs), folder)
    return folder


def kill_at(process: subprocess.Popen[str], words: str) -> None:
    """SIGKILL the moment `words` are said."""
    with process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if words in line:
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL, f"{words!r} was never said, but:\n{''.join(said)}"


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


def test_killed_in_training_and_in_search_it_ends_as_an_unbroken_run_does(
    inputs: Path, run: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "run"
    kill_at(start(SEARCH, inputs, broken, "new"), "dense: step 8 ")
    kill_at(start(SEARCH, inputs, broken, "resume"), "supernet: step 9 ")
    kill_at(start(SEARCH, inputs, broken, "resume"), "trial 2:")
    process = start(SEARCH, inputs, broken, "resume")
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "dense: step 1 " not in said
    ended, unbroken = RunDirectory.open(broken).trials(), RunDirectory.open(run).trials()
    assert [record.trial_id for record in ended] == list(range(6))
    assert [record.architecture for record in ended] == [record.architecture for record in unbroken]
    np.testing.assert_allclose(
        [record.metric or 0 for record in ended], [record.metric or 0 for record in unbroken], atol=1e-9
    )
    signatures = [record["signature"] for record in RunDirectory.open(broken).latencies()]
    assert len(signatures) == len(set(signatures))


def test_interrupt_leaves_a_run_that_goes_on(inputs: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    process = start(SEARCH, inputs, broken, "new")
    assert process.stderr is not None
    for line in process.stderr:
        if "trial 1:" in line:
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=60)
    assert process.returncode != 0
    before = len(RunDirectory.open(broken).trials())
    assert before >= 2
    assert len(search(None, broken, resume=True).points) >= 1
    assert [record.trial_id for record in RunDirectory.open(broken).trials()] == list(range(6))


def test_exported_point_is_the_architecture_it_says(run: Path, tmp_path: Path) -> None:
    import onnx

    point = RunDirectory.open(run).front().points[0]
    manifest = export(run, tmp_path / "engine", Choice(pareto_idx=0))
    graph = onnx.load(tmp_path / "engine" / "onnx" / "model.onnx")
    assert manifest.architecture == point.architecture
    assert manifest.num_params == point.num_params == count_params(graph)
    assert manifest.macs == count_macs(graph, 1, 16)
    heads, units = Architecture.from_json(dict(manifest.architecture)).shapes[0]
    widths = {tuple(item.dims) for item in graph.graph.initializer}
    assert (32, heads * 8) in widths
    assert (units, 32) in widths
    texts = ["the soup was not good at all", "a very good room"]
    with_runtime = load_engine(tmp_path / "engine").predict(texts)
    assert with_runtime.shape == (2, 2)
    assert load_pruned(tmp_path / "engine").config.num_hidden_layers == point_layers(point.signature)  # type: ignore[union-attr]


def point_layers(signature: str) -> int:
    return signature.count(",") + 1


def test_fine_tuned_point_has_other_weights(run: Path, tmp_path: Path) -> None:
    plain = export(run, tmp_path / "plain", Choice(trial=1))
    tuned = export(run, tmp_path / "tuned", Choice(trial=1), finetune_epochs=1)
    assert tuned.signature == plain.signature
    assert tuned.files["onnx/model.onnx"] != plain.files["onnx/model.onnx"]
    assert tuned.lineage["finetune_epochs"] == 1


def test_dense_is_the_fine_tuned_model(run: Path, tmp_path: Path) -> None:
    manifest = export(run, tmp_path / "dense", Choice(dense=True))
    assert manifest.signature == "4x64,4x64,4x64"


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

    def test_what_needs_other_training_raises(self, run: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="strategy is 'sandwich'.*'teacher'"):
            search(None, tmp_path / "run", start_from=run, changes={"strategy": "sandwich"})
        assert not (tmp_path / "run").exists()


class TestBadInput:
    def test_nothing_is_written_for_inputs_that_cannot_be_used(self, inputs: Path, tmp_path: Path) -> None:
        wrong: dict[str, Any]
        for wrong, message in (
            ({"label_column": "stars"}, "stars"),
            ({"space": "tiny"}, "small"),
            ({"searcher": "ehvi", "space": "large"}, "random"),
            ({"objectives": ("metric", "speed")}, "latency_ms"),
            ({"strategy": "ladder"}, "sandwich"),
            ({"unit_multiple": 7}, "64 units"),
        ):
            with pytest.raises(CompresskitError, match=message):
                search(settings_for(inputs, **wrong), tmp_path / "run")
            assert not (tmp_path / "run").exists()

    def test_index_beyond_the_front(self, run: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"--pareto-idx 99 .* 0 \(the fastest\) to \d+"):
            export(run, tmp_path / "engine", Choice(pareto_idx=99))

    def test_no_such_trial(self, run: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="ids are 0 to 5"):
            export(run, tmp_path / "engine", Choice(trial=6))

    def test_several_choices(self) -> None:
        with pytest.raises(ConfigurationError, match="name one point"):
            Choice(pareto_idx=1, dense=True)

    def test_unreachable_constraint_names_the_nearest(self, run: Path, tmp_path: Path) -> None:
        with pytest.raises(SearchError, match="The fastest"):
            export(run, tmp_path / "engine", Choice(max_latency_ms=1e-6))

    def test_output_that_is_not_empty(self, run: Path, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("keep me")
        with pytest.raises(ConfigurationError, match="not empty"):
            export(run, tmp_path, Choice(pareto_idx=0))
        assert (tmp_path / "mine.txt").read_text() == "keep me"

    def test_run_of_another_version(self, inputs: Path, run: Path, tmp_path: Path) -> None:
        info = json.loads((run / "run.json").read_text())
        (tmp_path / "run.json").write_text(json.dumps({**info, "version": 99}))
        with pytest.raises(RunError, match="version 99"):
            search(None, tmp_path, resume=True)

    def test_a_run_is_not_overwritten(self, inputs: Path, run: Path) -> None:
        with pytest.raises(RunError, match=r"--resume.*--force"):
            search(settings_for(inputs), run)

    def test_resuming_with_other_settings(self, run: Path) -> None:
        with pytest.raises(ConfigurationError, match="space is 'large'.*'small'"):
            search(None, run, resume=True, changes={"space": "large"})

    def test_unknown_model_type(self, inputs: Path, tmp_path: Path) -> None:
        model = tmp_path / "model"
        model.mkdir()
        (model / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
        with pytest.raises(UnsupportedModelError, match="'gpt2'.*bert, camembert, distilbert"):
            search(settings_for(inputs, model=str(model)), tmp_path / "run")

    def test_a_model_that_is_not_there(self, inputs: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="neither a folder"):
            search(settings_for(inputs, model=str(tmp_path / "nothing")), tmp_path / "run")

    def test_longer_texts_than_the_model_takes(self, inputs: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="max length 65 .* 3 to 64"):
            search(settings_for(inputs, max_length=65), tmp_path / "run")

    def test_labels_that_do_not_fit_the_checkpoints_head(
        self, inputs: Path, run: Path, tmp_path: Path
    ) -> None:
        from transformers import BertConfig, BertForSequenceClassification

        config = BertConfig.from_pretrained(inputs / "model")
        config.id2label, config.label2id = {0: "red", 1: "blue"}, {"red": 0, "blue": 1}
        BertForSequenceClassification(config).save_pretrained(tmp_path / "model")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (tmp_path / "model" / name).write_bytes((inputs / "model" / name).read_bytes())
        with pytest.raises(DataError, match="red"):
            search(settings_for(inputs, model=str(tmp_path / "model")), tmp_path / "run")
