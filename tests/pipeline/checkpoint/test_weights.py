"""Weights: none is drawn at random or dropped that ought to be there, whatever its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertForTokenClassification,
)

from compresskit.errors import ConfigurationError
from compresskit.pipeline.checkpoint.weights import load_classifier
from tests.pipeline.checkpoint.conftest import small_config
from tests.pipeline.checkpoint.make import Weights, copy_of, edit_config, prefixed


def load(folder: Path, *, keeps_head: bool = True) -> Any:
    config = AutoConfig.from_pretrained(folder)
    return load_classifier(str(folder), config, AutoModelForSequenceClassification, keeps_head=keeps_head)


def same(model: Any, folder: Path) -> bool:
    wanted = load_file(folder / "model.safetensors")
    found = dict(model.named_parameters())
    return found.keys() == wanted.keys() and all(torch.equal(found[k], v) for k, v in wanted.items())


def test_as_it_was_saved(fine_tuned: Path) -> None:
    found = load(fine_tuned)
    assert same(found.model, fine_tuned)
    assert found.notes == () and found.has_head


def test_memory_that_ran_out_is_no_fault_of_the_checkpoint(
    fine_tuned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(AutoModelForSequenceClassification, "from_pretrained", full)
    with pytest.raises(RuntimeError, match="allocate"):
        load(fine_tuned)


class TestNames:
    @pytest.mark.parametrize(
        "prefix",
        ["module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.", "net.student."],
    )
    def test_a_prefix_is_taken_off(self, fine_tuned: Path, tmp_path: Path, prefix: str) -> None:
        found = load(copy_of(fine_tuned, tmp_path / "model", weights=prefixed(prefix)))
        assert same(found.model, fine_tuned)
        assert "of a wrapper in training: taken off" in found.notes[0]
        found.model.save_pretrained(tmp_path / "saved")
        assert same(BertForSequenceClassification.from_pretrained(tmp_path / "saved"), fine_tuned)

    def test_a_prefix_of_an_encoder_without_a_head(self, encoder: Path, tmp_path: Path) -> None:
        found = load(copy_of(encoder, tmp_path, weights=prefixed("module.")), keeps_head=False)
        kept = load_file(encoder / "model.safetensors")
        assert all(torch.equal(value, found.model.bert.state_dict()[name]) for name, value in kept.items())
        assert not found.has_head

    @pytest.mark.parametrize("part", ["bert", "bert.encoder", "bert.pooler"])
    def test_a_wrapper_within_a_name(self, fine_tuned: Path, tmp_path: Path, part: str) -> None:
        """`torch.compile` of one module of the model."""

        def wrapped(weights: Weights) -> Weights:
            return {name.replace(f"{part}.", f"{part}._orig_mod."): value for name, value in weights.items()}

        assert same(load(copy_of(fine_tuned, tmp_path, weights=wrapped)).model, fine_tuned)

    def test_weights_of_another_family_are_not_taken(self, fine_tuned: Path, tmp_path: Path) -> None:
        """They would fit, and their positions begin elsewhere."""

        def of_roberta(weights: Weights) -> Weights:
            return {name.replace("bert.", "roberta."): value for name, value in weights.items()}

        with pytest.raises(
            ConfigurationError, match=r"lack 39 of the 41 parameters .* names such as roberta\."
        ):
            load(copy_of(fine_tuned, tmp_path, weights=of_roberta))

    def test_names_of_layer_norms_of_old(self, fine_tuned: Path, tmp_path: Path) -> None:
        def old(weights: Weights) -> Weights:
            names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
            return {
                next((n.replace(new, was) for new, was in names.items() if n.endswith(new)), n): value
                for n, value in weights.items()
            }

        assert same(load(copy_of(fine_tuned, tmp_path, weights=old)).model, fine_tuned)


class TestAbsence:
    @pytest.mark.parametrize("part", ["classifier", "pooler"])
    def test_of_the_head(self, fine_tuned: Path, tmp_path: Path, part: str) -> None:
        def headless(weights: Weights) -> Weights:
            return {name: value for name, value in weights.items() if part not in name}

        folder = copy_of(fine_tuned, tmp_path, weights=headless)
        with pytest.raises(ConfigurationError, match=f"lack the head: .*{part}"):
            load(folder)
        assert not load(folder, keeps_head=False).has_head or part == "pooler"

    @pytest.mark.parametrize("keeps_head", [True, False])
    def test_of_a_layer(self, fine_tuned: Path, tmp_path: Path, keeps_head: bool) -> None:
        folder = copy_of(fine_tuned, tmp_path, config={"num_hidden_layers": 3})
        with pytest.raises(ConfigurationError, match=r"lack 16 of the 57 parameters .*encoder\.layer\.2\."):
            load(folder, keeps_head=keeps_head)

    @pytest.mark.parametrize("keeps_head", [True, False])
    def test_of_a_place_for_a_layer(self, fine_tuned: Path, tmp_path: Path, keeps_head: bool) -> None:
        folder = copy_of(fine_tuned, tmp_path, config={"num_hidden_layers": 1})
        with pytest.raises(ConfigurationError, match=r"have no place in the model.*encoder\.layer\.1\."):
            load(folder, keeps_head=keeps_head)

    def test_of_code_for_relative_positions(self, encoder: Path, tmp_path: Path) -> None:
        def relative(weights: Weights) -> Weights:
            return {**weights, "encoder.layer.0.attention.self.distance_embedding.weight": torch.zeros(63, 8)}

        with pytest.raises(ConfigurationError, match=r"no place in the model.*distance_embedding"):
            load(copy_of(encoder, tmp_path, weights=relative), keeps_head=False)

    def test_of_a_use_for_a_layer_behind_the_head_is_told(self, fine_tuned: Path, tmp_path: Path) -> None:
        def more(weights: Weights) -> Weights:
            buffer = {"bert.embeddings.position_ids": torch.arange(32)[None]}
            return {**weights, **buffer, "crf.transitions": torch.zeros(2, 2)}

        found = load(copy_of(fine_tuned, tmp_path, weights=more))
        assert found.notes == ("its weights crf.transitions are not used by BertForSequenceClassification",)


class TestShapes:
    def test_of_the_head(self, fine_tuned: Path, tmp_path: Path) -> None:
        names = {"0": "a", "1": "b", "2": "c"}
        folder = copy_of(fine_tuned, tmp_path, config={"id2label": names, "label2id": ...})
        with pytest.raises(
            ConfigurationError, match=r"classifier\.bias .* has shape \(2,\).*needs \(3,\).*id2label"
        ):
            load(folder)

    @pytest.mark.parametrize("keeps_head", [True, False])
    def test_of_embeddings(self, fine_tuned: Path, tmp_path: Path, keeps_head: bool) -> None:
        folder = copy_of(fine_tuned, tmp_path, config={"type_vocab_size": 1})
        with pytest.raises(ConfigurationError, match=r"token_type_embeddings.*\(2, 16\).*needs \(1, 16\)"):
            load(folder, keeps_head=keeps_head)

    def test_a_head_for_tokens_makes_way(self, fine_tuned: Path, tmp_path: Path) -> None:
        config = AutoConfig.from_pretrained(fine_tuned)
        BertForTokenClassification(small_config(config.vocab_size, num_labels=5)).save_pretrained(tmp_path)
        edit_config(tmp_path, {"id2label": ..., "label2id": ...})
        found = load(tmp_path, keeps_head=False)
        assert found.model.classifier.out_features == 2
        assert "its pooler is new" in found.notes[0]

    def test_a_language_model(self, fine_tuned: Path, tmp_path: Path) -> None:
        config = AutoConfig.from_pretrained(fine_tuned)
        BertForMaskedLM(small_config(config.vocab_size)).save_pretrained(tmp_path)
        assert not load(tmp_path, keeps_head=False).has_head


class TestFiles:
    def test_tensors_in_a_pickle(self, fine_tuned: Path, tmp_path: Path) -> None:
        folder = copy_of(fine_tuned, tmp_path, without=("model.safetensors",))
        torch.save(load_file(fine_tuned / "model.safetensors"), folder / "pytorch_model.bin")
        assert same(load(folder).model, fine_tuned)

    @pytest.mark.parametrize("what", ["truncated", "a state of training", "an object"])
    def test_a_pickle_of_something_else(self, fine_tuned: Path, tmp_path: Path, what: str) -> None:
        folder = copy_of(fine_tuned, tmp_path, without=("model.safetensors",))
        weights = load_file(fine_tuned / "model.safetensors")
        path = folder / "pytorch_model.bin"
        torch.save(
            {
                "truncated": weights,
                "a state of training": {"model": weights, "step": 3},
                "an object": BertForSequenceClassification.from_pretrained(fine_tuned),
            }[what],
            path,
        )
        if what == "truncated":
            path.write_bytes(path.read_bytes()[:5000])
        with pytest.raises(ConfigurationError, match=r"cannot be read|lack 41 of the 41") as caught:
            load(folder)
        assert "\x1b" not in str(caught.value)

    def test_truncated(self, fine_tuned: Path, tmp_path: Path) -> None:
        path = copy_of(fine_tuned, tmp_path) / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(
            ConfigurationError, match=r"weights of model .* cannot be read: .*not fully covered"
        ):
            load(tmp_path)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    def test_of_another_precision(self, fine_tuned: Path, tmp_path: Path, dtype: torch.dtype) -> None:
        def cast(weights: Weights) -> Weights:
            return {name: value.to(dtype) for name, value in weights.items()}

        model = load(copy_of(fine_tuned, tmp_path, weights=cast)).model
        assert {value.dtype for value in model.parameters()} == {torch.float32}

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_not_finite(self, fine_tuned: Path, tmp_path: Path, value: float) -> None:
        def diverged(weights: Weights) -> Weights:
            return {**weights, "classifier.bias": torch.tensor([0.0, value])}

        with pytest.raises(ConfigurationError, match=r"classifier\.bias .* not finite"):
            load(copy_of(fine_tuned, tmp_path, weights=diverged))
