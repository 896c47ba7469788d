"""Runs that know what they were made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModel, BertConfig

from compresskit.errors import ConfigurationError, RunError
from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.pipeline.store import fingerprints
from compresskit.pipeline.store.fingerprints import _check_classes, check_warm_start, model_fingerprint
from compresskit.runs import RunDirectory
from compresskit.tasks.classification import Classification
from tests.pipeline.make import settings_for


@pytest.fixture
def copied(run: Path, inputs: Path, tmp_path: Path) -> Path:
    """A folder with `inputs` and a `run` of them that may be changed; the front is still to be written."""
    shutil.copytree(inputs, tmp_path / "inputs")
    shutil.copytree(run, tmp_path / "run")
    with RunDirectory.open(tmp_path / "run", writable=True) as opened:
        own = settings_for(tmp_path / "inputs")
        opened.update(settings={**opened.settings, "model": own.model, "dataset": own.dataset})
    return tmp_path


def swap_labels(folder: Path) -> None:
    file = folder / "inputs" / "data" / "train.csv"
    text = file.read_text(encoding="utf-8")
    swapped = text.replace(",good\n", ",?\n").replace(",bad\n", ",good\n").replace(",?\n", ",bad\n")
    file.write_text(swapped, encoding="utf-8")


def change_weights(folder: Path) -> None:
    model = AutoModel.from_pretrained(folder / "inputs" / "model")
    with torch.no_grad():
        model.embeddings.word_embeddings.weight[7, 3] += 1e-3
    model.save_pretrained(folder / "inputs" / "model")


def every_use(folder: Path, say: Any = lambda _: None) -> list[Any]:
    """What refuses a run whose inputs have changed: resume, --from, --warm-start and export."""
    run = folder / "run"
    return [
        lambda: search(None, run, resume=True, say=say),
        lambda: search(None, folder / "next", start_from=run, changes={"trials": 1}, say=say),
        lambda: search(settings_for(folder / "inputs", trials=1), folder / "warm", warm_start=run, say=say),
        lambda: export(run, folder / "engine", dense=True, say=say),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            swap_labels,
            r"dataset '.*data' holds other rows or labels than when .*run was started \(fingerprint",
        ),
        (change_weights, r"model '.*model' is another model than when .*run was started \(fingerprint"),
    ],
)
def test_changed_inputs_are_refused_before_anything_is_written(
    copied: Path, change: Any, message: str
) -> None:
    change(copied)
    for use in every_use(copied):
        with pytest.raises(RunError, match=message):
            use()
    assert sorted(path.name for path in copied.iterdir()) == ["inputs", "run"]


def test_damaged_weights_are_told_before_they_are_compared(copied: Path) -> None:
    model = copied / "inputs" / "model"
    (model / "model.safetensors").unlink()
    for text in ("{", "{}"):
        (model / "model.safetensors.index.json").write_text(text)
        for use in every_use(copied):
            with pytest.raises(
                ConfigurationError, match=r"model\.safetensors\.index\.json of model .* damaged"
            ):
                use()


@pytest.mark.parametrize("text", ["{", "[]", '{"id2label": null}', '{"id2label": ["bad", "good"]}'])
def test_a_damaged_dense_model_is_told(copied: Path, text: str) -> None:
    (copied / "run" / "supernet" / "dense_model" / "config.json").write_text(text)
    resume, start, _, exported = every_use(copied)
    for use in (resume, start, exported):
        with pytest.raises(RunError, match=r"dense_model/config\.json is damaged: .*--resume"):
            use()


def test_only_a_new_search_downloads_weights(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def spy(_: str, *, download: bool) -> None:
        asked.append(download)
        raise InterruptedError

    monkeypatch.setattr(fingerprints, "model_fingerprint", spy)
    for use in every_use(copied):
        with pytest.raises(InterruptedError):
            use()
    assert asked == [False, False, True, False]


@pytest.mark.parametrize("lost", ["model.safetensors.index.json", "model-2.safetensors"])
def test_weights_of_the_hub_that_are_not_here_have_no_fingerprint(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    shutil.copy(inputs / "model" / "config.json", tmp_path)
    for number in (1, 2):
        (tmp_path / f"model-{number}.safetensors").write_bytes(bytes(number))
    weight_map = {str(number): f"model-{number}.safetensors" for number in (1, 2)}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    def cached(source: str, name: str, *, local_files_only: bool, **_: Any) -> str | None:
        assert source == "some/model"
        is_there = (tmp_path / name).exists() and not (local_files_only and name == lost)
        return str(tmp_path / name) if is_there else None

    monkeypatch.setattr(fingerprints, "cached_file", cached)
    assert model_fingerprint("some/model", download=True) is not None
    assert model_fingerprint("some/model", download=False) is None


def test_the_same_inputs_elsewhere_and_in_another_format_are_the_same(copied: Path) -> None:
    import csv

    data = copied / "inputs" / "data"
    with (data / "train.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    (data / "train.csv").unlink()
    (data / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said: list[str] = []
    assert search(None, copied / "run", resume=True, say=said.append).points
    assert not [line for line in said if line.startswith("note:")]


def test_another_version_is_said_and_a_run_without_fingerprints_goes_on(copied: Path) -> None:
    with RunDirectory.open(copied / "run", writable=True) as opened:
        kept = opened.info["fingerprints"]
        assert len(kept["data"]) == len(kept["model"]) == 64
        assert {"python", "compresskit", "torch", "transformers"} <= set(kept["versions"])
        opened.update(fingerprints={**kept, "versions": {**kept["versions"], "torch": "1.0"}})
    said: list[str] = []
    search(None, copied / "run", resume=True, say=said.append)
    assert any("was started with torch 1.0, now " in line for line in said)
    with RunDirectory.open(copied / "run", writable=True) as opened:
        opened.update(fingerprints=None)
    said.clear()
    export(copied / "run", copied / "engine", dense=True, say=said.append)
    assert any("kept no fingerprints; an export cannot tell" in line for line in said)


def test_a_run_whose_classes_stand_in_another_order_is_refused(copied: Path) -> None:
    file = copied / "run" / "supernet" / "dense_model" / "config.json"
    config = json.loads(file.read_text())
    config["id2label"] = {"0": "good", "1": "bad"}
    file.write_text(json.dumps(config))
    with RunDirectory.open(copied / "run", writable=True) as opened:
        opened.update(fingerprints=None)
    with pytest.raises(RunError, match="has the classes good, bad; its data now have bad, good"):
        export(copied / "run", copied / "engine", dense=True)


def test_names_that_transformers_gives_by_itself_are_not_in_the_configuration(tmp_path: Path) -> None:
    """A checkpoint of two classes without names of their own: its config.json has no id2label."""
    run: Any = SimpleNamespace(path=tmp_path, supernet=tmp_path)
    BertConfig(num_labels=2).save_pretrained(tmp_path / "dense_model")
    assert "id2label" not in json.loads((tmp_path / "dense_model" / "config.json").read_text())
    task: Any = SimpleNamespace(kind=Classification(("LABEL_0", "LABEL_1"), "accuracy"))
    _check_classes(run, task)
    task.kind = Classification(("LABEL_1", "LABEL_0"), "accuracy")
    with pytest.raises(RunError, match="has the classes LABEL_0, LABEL_1"):
        _check_classes(run, task)


def test_a_warm_start_may_be_of_other_data(copied: Path) -> None:
    source = RunDirectory.open(copied / "run")
    now = {**source.info["fingerprints"], "data": "0" * 64}
    same, other = settings_for(copied / "inputs"), settings_for(copied / "inputs", dataset="other.csv")
    said: list[str] = []
    check_warm_start(source, now, other, said.append)
    assert said == [f"note: the warm start is of dataset {same.dataset!r}, not of 'other.csv'"]
    with pytest.raises(
        RunError, match="holds other rows or labels.*now 000000000000.*a warm start would mix"
    ):
        check_warm_start(source, now, same, said.append)


def test_the_fingerprint_of_a_model_is_of_its_content(inputs: Path, tmp_path: Path) -> None:
    shutil.copytree(inputs / "model", tmp_path / "model")
    wanted = model_fingerprint(str(inputs / "model"))
    file = tmp_path / "model" / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "transformers_version": "0", "_name_or_path": "x"}))
    assert model_fingerprint(str(tmp_path / "model")) == wanted
    file.write_text(json.dumps({**config, "hidden_act": "relu"}))
    assert model_fingerprint(str(tmp_path / "model")) != wanted
    (tmp_path / "model" / "model.safetensors").unlink()
    assert model_fingerprint(str(tmp_path / "model")) is None
