from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    ModernBertConfig,
    ModernBertForSequenceClassification,
)
from transformers import DistilBertForSequenceClassification as DistilBert

from compresskit.architecture import Architecture
from compresskit.errors import EngineError
from compresskit.pruning.reload import load_pruned
from compresskit.supernet.surgery import blueprint_of
from tests.contracts.family import HEADS, HIDDEN, LAYERS, UNITS, VOCABULARY, irregular, make_batch, randomize
from tests.families import test_modernbert
from tests.families.test_bert import SIZES
from tests.pruning.written import sign, write


def modernbert() -> nn.Module:
    return test_modernbert.TestModernBert().make_model()


def distilbert() -> nn.Module:
    config = DistilBertConfig(
        vocab_size=VOCABULARY, dim=HIDDEN, n_layers=LAYERS, n_heads=HEADS, hidden_dim=UNITS
    )
    return DistilBert(config)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "dense",
    [BertForSequenceClassification(BertConfig(**SIZES)), distilbert(), modernbert()],
    ids=["bert", "distilbert", "modernbert"],
)
def test_pruned_model_comes_back(tmp_path: Path, dense: nn.Module) -> None:
    pruned = write(tmp_path, randomize(dense), irregular())
    again = load_pruned(tmp_path)
    assert not again.training
    torch.testing.assert_close(again(**make_batch()).logits, pruned(**make_batch()).logits, rtol=0, atol=0)


@pytest.mark.parametrize("kept", [(1, 2), (3,), (2, 3)])
def test_local_and_global_layers_stay_what_they_were(tmp_path: Path, kept: tuple[int, ...]) -> None:
    """Layers 0 and 3 are global. Layer 0 has no norm before its attention; what takes its place keeps its."""
    dense = randomize(modernbert())
    architecture = Architecture.uniform(blueprint_of(dense).dims, kept, HEADS, UNITS)
    pruned = write(tmp_path, dense, architecture)
    kinds = json.loads((tmp_path / "config.json").read_text())["layer_types"]
    assert kinds == ["full_attention" if layer == 3 else "sliding_attention" for layer in kept]
    batch = make_batch(rows=2, length=12)
    again = load_pruned(tmp_path)
    torch.testing.assert_close(again(**batch).logits, pruned(**batch).logits, rtol=0, atol=0)


def test_kinds_and_bases_of_an_older_configuration_stay(tmp_path: Path) -> None:
    """As on the hub: no `layer_types`, and bases of rotations under names of their own."""
    older = {"global_attn_every_n_layers": 2, "global_rope_theta": 900.0, "local_rope_theta": 30.0}
    config = ModernBertConfig(**test_modernbert.SIZES, **older)
    assert config.rope_parameters["sliding_attention"]["rope_theta"] == 30.0
    dense = randomize(ModernBertForSequenceClassification(config))
    pruned = write(tmp_path, dense, Architecture.uniform(blueprint_of(dense).dims, (1, 2), HEADS, UNITS))
    kinds = json.loads((tmp_path / "config.json").read_text())["layer_types"]
    assert kinds == ["sliding_attention", "full_attention"]
    batch = make_batch(rows=2, length=12)
    torch.testing.assert_close(load_pruned(tmp_path)(**batch).logits, pruned(**batch).logits, rtol=0, atol=0)


def test_weights_of_another_architecture_raise(tmp_path: Path) -> None:
    write(tmp_path, randomize(BertForSequenceClassification(BertConfig(**SIZES))), irregular())
    name = "bert.encoder.layer.0.output.dense.weight"
    weights = load_file(tmp_path / "model.safetensors")
    weights[name] = weights[name][:, :2].contiguous()
    save_file(weights, tmp_path / "model.safetensors")
    sign(tmp_path, irregular())
    with pytest.raises(EngineError, match=rf"{name} is \(32, 2\), not \(32, 8\)"):
        load_pruned(tmp_path)


def test_a_folder_that_is_no_engine_raises(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="is not an engine"):
        load_pruned(tmp_path)


def test_damage_is_named(tmp_path: Path) -> None:
    write(tmp_path, randomize(BertForSequenceClassification(BertConfig(**SIZES))), irregular())
    path = tmp_path / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(EngineError, match=r"model\.safetensors is damaged"):
        load_pruned(tmp_path)
    path.unlink()
    with pytest.raises(EngineError, match=r"lacks its file model\.safetensors"):
        load_pruned(tmp_path)
    sign(tmp_path, irregular())
    with pytest.raises(EngineError, match=r"no model\.safetensors"):
        load_pruned(tmp_path)


def test_another_version_is_named(tmp_path: Path) -> None:
    write(tmp_path, randomize(BertForSequenceClassification(BertConfig(**SIZES))), irregular())
    path = tmp_path / "compresskit.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 99}))
    with pytest.raises(EngineError, match="format version 99; this compresskit reads 1"):
        load_pruned(tmp_path)
