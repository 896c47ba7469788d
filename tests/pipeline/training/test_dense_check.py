"""A checkpoint that does not fit the data ends the search before a run begins."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, set_seed

from compresskit.display import Lines
from compresskit.errors import ConfigurationError
from compresskit.pipeline.inputs import Inputs, read_inputs
from compresskit.pipeline.search import search
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.dense_check import check_dense
from compresskit.target.profile import load_profile
from tests.pipeline.checkpoint.make import copy_of, edit_config
from tests.pipeline.make import settings_for

WORDS = {"bad": ("awful", "terrible"), "good": ("superb", "excellent")}


@pytest.fixture(scope="module")
def judge(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data that one word decides, and a model that was trained on it."""
    folder = tmp_path_factory.mktemp("judge")
    rows = [(f"the lid is {word}", label) for label, words in WORDS.items() for word in words]
    with (folder / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows((f"{text} {number}", label) for number in range(60) for text, label in rows)
    shutil.copytree(inputs / "model", folder / "model")
    shutil.copy(inputs / "profile.toml", folder)
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    set_seed(0)
    config = BertConfig.from_pretrained(folder / "model")
    config.id2label, config.label2id = {0: "bad", 1: "good"}, {"bad": 0, "good": 1}
    model = BertForSequenceClassification(config)
    batch = tokenizer([text for text, _ in rows], padding=True, return_tensors="pt")
    labels = torch.tensor([int(label == "good") for _, label in rows])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        model(**batch, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder / "model")
    return folder


def given(judge: Path, model: Path | None = None, **changes: object) -> SearchSettings:
    extra: dict[str, object] = {"dataset": str(judge / "data.csv")}
    return settings_for(judge, **(extra | ({"model": str(model)} if model else {}) | changes))


def check(settings: SearchSettings) -> tuple[Inputs, list[str]]:
    said: list[str] = []
    display = Lines(said.append)
    inputs = read_inputs(settings, load_profile(settings.profile), display)
    return check_dense(inputs, settings, display), said


def test_one_that_fits_goes_on(judge: Path) -> None:
    inputs, said = check(given(judge))
    assert inputs.checkpoint.is_fine_tuned
    (warned,) = [line for line in said if line.startswith(("warning", "model:", "data:"))]
    assert warned.startswith("warning: only 24 validation rows: one row is 4.2 points")


@pytest.mark.parametrize("key", ["id2label", "label2id"])
def test_names_in_another_order(judge: Path, tmp_path: Path, key: str) -> None:
    maps: dict[str, object] = {"id2label": {"0": "good", "1": "bad"}, "label2id": {"good": 0, "bad": 1}}
    folder = copy_of(judge / "model", tmp_path / "model", config={"id2label": ..., "label2id": ...})
    edit_config(folder, {key: maps[key]})
    with pytest.raises(ConfigurationError, match=r"output 0 \('good'\) answers as 'bad'.*--allow-weak-dense"):
        search(given(judge, folder), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_head_that_knows_nothing(judge: Path, tmp_path: Path) -> None:
    def forget(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {**weights, "classifier.weight": torch.zeros_like(weights["classifier.weight"])}

    folder = copy_of(judge / "model", tmp_path / "model", weights=forget)
    with pytest.raises(
        ConfigurationError, match=r"no better on 24 .*accuracy 0\.5\d* and 0\.5.*another tokenizer"
    ):
        search(given(judge, folder), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    inputs, said = check(given(judge, folder, allow_weak_dense=True))
    assert inputs.checkpoint.is_fine_tuned
    assert any(line.startswith("warning: the fine-tuned checkpoint is no better") for line in said)


def test_a_checkpoint_without_a_head_is_not_asked(inputs: Path) -> None:
    _, said = check(settings_for(inputs))
    assert [line for line in said if "dense model" in line or "fine-tuned" in line] == []


def test_weights_are_noted_in_the_inputs(judge: Path, tmp_path: Path) -> None:
    def wrapped(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {f"module.{name}": value for name, value in weights.items()}

    folder = copy_of(judge / "model", tmp_path / "model", weights=wrapped)
    inputs, said = check(given(judge, folder))
    assert "names of its weights hold 'module.'" in inputs.checkpoint.notes[0]
    assert f"model: {inputs.checkpoint.notes[0]}" in said


def test_a_head_that_config_json_does_not_name(judge: Path, tmp_path: Path) -> None:
    folder = copy_of(judge / "model", tmp_path / "model", config={"architectures": ...})
    with pytest.raises(ConfigurationError, match=r'add "architectures": \["BertForSequenceClassification"\]'):
        check(given(judge, folder))


def test_unreadable_weights_end_it_before_a_run_begins(judge: Path, tmp_path: Path) -> None:
    folder = copy_of(judge / "model", tmp_path / "model", without=("model.safetensors",))
    with pytest.raises(ConfigurationError, match="has no weights"):
        search(given(judge, folder), tmp_path / "run")
    assert not (tmp_path / "run").exists()
