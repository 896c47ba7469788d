"""What is no model is told by what it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from transformers import BertForSequenceClassification

from compresskit.errors import ConfigurationError
from compresskit.pipeline.checkpoint.folder import check_folder, check_weight_files
from tests.pipeline.checkpoint.make import copy_of

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0f\nsize 123456\n"


def test_a_whole_model_and_a_hub_id_pass(fine_tuned: Path) -> None:
    check_folder(str(fine_tuned))
    check_weight_files(str(fine_tuned))
    check_folder("google-bert/bert-base-uncased")
    check_weight_files("google-bert/bert-base-uncased")


def test_a_file(fine_tuned: Path) -> None:
    with pytest.raises(ConfigurationError, match="is a file; give the folder"):
        check_folder(str(fine_tuned / "model.safetensors"))


@pytest.mark.parametrize("beside_a_model", [False, True])
def test_an_adapter(fine_tuned: Path, tmp_path: Path, beside_a_model: bool) -> None:
    if beside_a_model:
        copy_of(fine_tuned, tmp_path)
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    with pytest.raises(ConfigurationError, match=r"adapter.*merge_and_unload"):
        check_folder(str(tmp_path))


def test_checkpoints_of_a_training(fine_tuned: Path, tmp_path: Path) -> None:
    for step in (500, 1000, 90):
        shutil.copytree(fine_tuned, tmp_path / f"checkpoint-{step}")
    with pytest.raises(ConfigurationError, match=r"such as --model \S*checkpoint-1000\."):
        check_folder(str(tmp_path))


def test_a_folder_of_a_folder(fine_tuned: Path, tmp_path: Path) -> None:
    shutil.copytree(fine_tuned, tmp_path / "runs" / "0_Transformer")
    with pytest.raises(ConfigurationError, match=r"such as --model \S*0_Transformer\."):
        check_folder(str(tmp_path))


def test_adapters_of_a_training(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-10").mkdir()
    (tmp_path / "checkpoint-10" / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"adapters in checkpoint-10.*merge"):
        check_folder(str(tmp_path))


def test_weights_of_another_framework(fine_tuned: Path, tmp_path: Path) -> None:
    copy_of(fine_tuned, tmp_path, without=("model.safetensors",))
    (tmp_path / "tf_model.h5").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"has no weights.*tf_model\.h5"):
        check_weight_files(str(tmp_path))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_pointer_in_place_of_a_file(fine_tuned: Path, tmp_path: Path, name: str) -> None:
    copy_of(fine_tuned, tmp_path)
    (tmp_path / name).write_text(POINTER)
    with pytest.raises(ConfigurationError, match=f"{name} of model .* Git LFS.*git lfs pull"):
        check_folder(str(tmp_path))
        check_weight_files(str(tmp_path))


class TestShards:
    @pytest.fixture
    def sharded(self, fine_tuned: Path, tmp_path: Path) -> Path:
        copy_of(fine_tuned, tmp_path, without=("model.safetensors",))
        model = BertForSequenceClassification.from_pretrained(fine_tuned)
        model.save_pretrained(tmp_path, max_shard_size="10KB")
        assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
        return tmp_path

    def test_all_are_there(self, sharded: Path) -> None:
        check_weight_files(str(sharded))

    def test_one_is_missing(self, sharded: Path) -> None:
        lost = sorted(sharded.glob("model-*.safetensors"))[1]
        lost.unlink()
        with pytest.raises(ConfigurationError, match=f"lacks 1 of its .*{lost.name}"):
            check_weight_files(str(sharded))

    @pytest.mark.parametrize("text", ["{", "[]", json.dumps({"weight_map": 3}), '{"weight_map": {"a": 1}}'])
    @pytest.mark.parametrize("beside", [(), ("pytorch_model.bin",)])
    def test_a_damaged_index(self, sharded: Path, text: str, beside: tuple[str, ...]) -> None:
        """transformers reads it, whatever older weights lie beside it."""
        (sharded / "model.safetensors.index.json").write_text(text)
        for name in beside:
            (sharded / name).touch()
        with pytest.raises(ConfigurationError, match=r"model\.safetensors\.index\.json .* is damaged"):
            check_weight_files(str(sharded))
