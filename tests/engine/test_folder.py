from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerFast

from compresskit.bundle import Manifest, load_engine, verify
from compresskit.engine import folder as folder_module
from compresskit.engine.count import count_macs, count_params
from compresskit.engine.folder import check_output, write_engine
from compresskit.engine.readers import save_tokenizer
from compresskit.engine.verify import torch_logits
from compresskit.errors import ConfigurationError, DataError, EngineError
from compresskit.pipeline.bench import open_contender
from compresskit.pruning.extract import extract
from compresskit.pruning.reload import load_pruned
from tests.engine.models import ARCHITECTURES, VOCABULARY

TEXTS = ["w7 w9 w30", "w4", "w50 w51 w52 w53 w54 w55"]
PAIRS = [("w7 w9", "w30 w31 w32"), ("w4", "w8")]


def make_tokenizer() -> PreTrainedTokenizerFast:
    words = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}
    words |= {f"w{i}": i for i in range(4, VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def write(made: Any, name: str, output: Path) -> Manifest:
    architecture = ARCHITECTURES[name]
    graph = made.slicer.slice(architecture)
    manifest = Manifest(
        architecture=architecture.to_json(),
        signature=architecture.signature,
        precision="fp32",
        metric_name="accuracy",
        test_metric=0.9,
        num_params=count_params(graph),
        macs=count_macs(graph, 1, 8),
        variant="plain",
        labels=["bad", "fair", "good"],
        lineage={"model": "tiny", "trial_id": 3},
        seed=0,
    )
    return write_engine(
        output,
        graph=graph,
        model=extract(made.model, architecture),
        reader=make_tokenizer(),
        manifest=manifest,
    )


@pytest.fixture
def engine(exported: Callable[[str], Any], tmp_path: Path) -> Path:
    write(exported("bert"), "irregular", tmp_path / "engine")
    return tmp_path / "engine"


def test_engine_predicts_what_pytorch_does(exported: Callable[[str], Any], engine: Path) -> None:
    loaded, pruned = load_engine(engine, threads=1), load_pruned(engine)
    assert loaded.labels == ["bad", "fair", "good"]
    wanted = extract(exported("bert").model, ARCHITECTURES["irregular"])
    tokenizer = make_tokenizer()
    for texts in (TEXTS, PAIRS):
        found = loaded.predict(texts)
        rows = loaded.encode(texts)
        assert rows[0]["input_ids"] == tokenizer(*([texts[0]] if texts is TEXTS else texts[0]))["input_ids"]
        for model in (wanted, pruned):
            np.testing.assert_allclose(found, torch_logits(model, rows), rtol=0, atol=1e-5)
        np.testing.assert_array_equal(loaded.predict(iter(texts)), found)
    with pytest.raises(DataError, match="one string"):
        loaded.predict("w4")


def test_long_texts_are_cut_to_what_the_model_takes(engine: Path) -> None:
    rows = load_engine(engine).encode([" ".join(["w5"] * 100)])
    assert len(rows[0]["input_ids"]) == 40


def test_fixed_padding_of_a_checkpoint_is_not_handed_on(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    tokenizer.backend_tokenizer.enable_padding(length=20)
    save_tokenizer(tokenizer, tmp_path)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"  # transformers 4 knows no other name
    ids = Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode(TEXTS[1]).ids
    assert ids == [2, 4, 3]
    assert AutoTokenizer.from_pretrained(tmp_path)(TEXTS[1])["input_ids"] == ids


def test_folder_holds_what_it_lists(engine: Path) -> None:
    manifest = verify(engine)
    present = {path.relative_to(engine).as_posix() for path in engine.rglob("*") if path.is_file()}
    assert set(manifest.files) | {"compresskit.json"} == present
    assert {"onnx/model.onnx", "config.json", "tokenizer.json", "model.safetensors", "README.md"} <= present
    assert {"python", "torch", "onnx", "onnxruntime"} <= set(manifest.versions)
    assert json.loads((engine / "config.json").read_text())["num_hidden_layers"] == 2
    assert "| 1 | dropped | dropped |" in (engine / "README.md").read_text()
    assert [path.name for path in engine.parent.iterdir()] == ["engine"]


def test_layer_dropping_reloads_with_plain_transformers(
    exported: Callable[[str], Any], tmp_path: Path
) -> None:
    made = exported("bert")
    write(made, "full", tmp_path / "engine")
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path / "engine", dtype=torch.float32)
    for name, value in made.model.named_parameters():
        assert torch.equal(loaded.get_parameter(name), value)


@pytest.mark.parametrize("name", ["irregular", "without parts", "last without heads"])
def test_other_points_never_come_back_partly_random(
    exported: Callable[[str], Any], tmp_path: Path, name: str
) -> None:
    write(exported("bert"), name, tmp_path / "engine")
    with pytest.raises(RuntimeError, match="size mismatch|mismatched"):
        AutoModelForSequenceClassification.from_pretrained(tmp_path / "engine")


def test_absent_parts_stand_as_empty_tensors(exported: Callable[[str], Any], tmp_path: Path) -> None:
    write(exported("bert"), "without parts", tmp_path / "engine")
    weights = load_file(tmp_path / "engine" / "model.safetensors")
    assert weights["bert.encoder.layer.0.attention.self.query.weight"].shape == (0, 32)
    assert weights["bert.encoder.layer.1.output.LayerNorm.weight"].shape == (0,)


def test_output_that_is_not_empty_is_refused(exported: Callable[[str], Any], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    check_output(tmp_path / "mine")
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(ConfigurationError, match="not empty"):
        write(exported("bert"), "full", tmp_path / "mine")
    with pytest.raises(ConfigurationError, match="is a file"):
        check_output(tmp_path / "mine" / "file")


def test_a_full_disk_leaves_nothing(
    exported: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder_module, "save_weights", full)
    with pytest.raises(EngineError, match="no space left"):
        write(exported("bert"), "full", tmp_path / "engine")
    assert list(tmp_path.iterdir()) == []


FILES = ["onnx/model.onnx", "tokenizer.json", "config.json", "model.safetensors"]
LOADERS = pytest.mark.parametrize("load", [load_engine, load_pruned, open_contender])


@LOADERS
@pytest.mark.parametrize("name", FILES)
def test_damage_is_named(engine: Path, name: str, load: Callable[[Path], Any]) -> None:
    path = engine / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(EngineError, match=f"{name}.*damaged"):
        load(engine)
    path.unlink()
    with pytest.raises(EngineError, match=f"lacks its file {name}"):
        load(engine)


@LOADERS
def test_another_version_and_a_lost_manifest_are_named(engine: Path, load: Callable[[Path], Any]) -> None:
    path = engine / "compresskit.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 99}))
    with pytest.raises(EngineError, match="format version 99; this compresskit reads 1"):
        load(engine)
    path.unlink()
    with pytest.raises(EngineError, match=r"is not an engine: it has no compresskit\.json"):
        load(engine)
