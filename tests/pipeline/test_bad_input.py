"""Input that a user can fix: a clear message, with nothing written or lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import (
    CompresskitError,
    ConfigurationError,
    DataError,
    RunError,
    SearchError,
    UnsupportedModelError,
)
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from tests.pipeline.make import settings_for


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
            ({"method": "block", "block_counts": (40,)}, "40 blocks do not fit a dimension of 32"),
            ({"method": "block", "start_trial": 2}, "name that by --start-run"),
        ):
            with pytest.raises(CompresskitError, match=message):
                search(settings_for(inputs, **wrong), tmp_path / "run")
            assert not (tmp_path / "run").exists()

    def test_index_beyond_the_front(self, run: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"--pareto-idx 99 .* 0 \(the fastest\) to \d+"):
            export(run, tmp_path / "engine", pareto_idx=99)

    def test_no_such_trial(self, run: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="ids are 0 to 5"):
            export(run, tmp_path / "engine", trial=6)

    def test_several_choices(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="name one point"):
            export(tmp_path, tmp_path / "engine", pareto_idx=1, dense=True)

    def test_unreachable_constraint_names_the_nearest(self, run: Path, tmp_path: Path) -> None:
        with pytest.raises(SearchError, match="The fastest"):
            export(run, tmp_path / "engine", max_latency_ms=1e-6)

    def test_output_that_is_not_empty(self, run: Path, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("keep me")
        with pytest.raises(ConfigurationError, match="not empty"):
            export(run, tmp_path, pareto_idx=0)
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
        with pytest.raises(ConfigurationError, match="space is 'large'.*'ranked'"):
            search(None, run, resume=True, changes={"space": "large"})

    def test_resuming_under_the_profile_it_was_begun_with(
        self, inputs: Path, run: Path, tmp_path: Path
    ) -> None:
        same, other = inputs / "profile.toml", tmp_path / "profile.toml"
        other.write_text(same.read_text().replace("length = 16", "length = 32"))
        with pytest.raises(ConfigurationError, match="profile is .*profile.toml.*started with"):
            search(None, run, resume=True, changes={"profile": str(other)})
        search(None, run, resume=True, changes={"profile": str(same)})

    def test_fine_tuning_the_dense_model(self, run: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="--finetune-epochs is for a pruned point"):
            export(run, tmp_path / "engine", dense=True, finetune_epochs=1.0)

    def test_unknown_model_type(self, inputs: Path, tmp_path: Path) -> None:
        model = tmp_path / "model"
        model.mkdir()
        (model / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
        with pytest.raises(UnsupportedModelError, match="'gpt2'.*bert, camembert, data2vec-text, deberta-v2"):
            search(settings_for(inputs, model=str(model)), tmp_path / "run")

    def test_a_model_that_is_not_there(self, inputs: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="nothing' does not exist; give a folder"):
            search(settings_for(inputs, model=str(tmp_path / "nothing")), tmp_path / "run")
        (tmp_path / "empty").mkdir()
        with pytest.raises(ConfigurationError, match="neither a folder"):
            search(settings_for(inputs, model=str(tmp_path / "empty")), tmp_path / "run")

    def test_a_model_without_a_vocabulary(self, inputs: Path, tmp_path: Path) -> None:
        model = tmp_path / "model"
        shutil.copytree(inputs / "model", model, ignore=shutil.ignore_patterns("tokenizer*"))
        with pytest.raises(ConfigurationError, match=r"no vocabulary.*put the tokenizer\.json"):
            search(settings_for(inputs, model=str(model)), tmp_path / "run")

    def test_a_tokenizer_with_more_tokens_than_the_model(self, inputs: Path, tmp_path: Path) -> None:
        model = tmp_path / "model"
        shutil.copytree(inputs / "model", model)
        config = json.loads((model / "config.json").read_text())
        rows = config["vocab_size"]
        (model / "config.json").write_text(json.dumps({**config, "vocab_size": rows - 1}))
        with pytest.raises(ConfigurationError, match=f"has {rows} tokens.*embeddings for {rows - 1}"):
            search(settings_for(inputs, model=str(model)), tmp_path / "run")

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
