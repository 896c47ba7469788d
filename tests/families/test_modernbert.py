from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers import ModernBertConfig, ModernBertForSequenceClassification

from tests.contracts.family import HEADS, HIDDEN, LAYERS, UNITS, VOCABULARY, FamilyContract, randomize

SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": UNITS,
    "max_position_embeddings": 32,
    "local_attention": 4,  # two tokens to each side
    "num_labels": 3,
    "pad_token_id": 1,
    "bos_token_id": 2,
    "cls_token_id": 2,
    "eos_token_id": 3,
    "sep_token_id": 3,
}


class TestModernBert(FamilyContract):
    def make_model(self) -> nn.Module:
        return ModernBertForSequenceClassification(ModernBertConfig(**SIZES))  # type: ignore[no-any-return]


@pytest.mark.slow
class TestModernBertWithBiases(FamilyContract):
    """With all biases that the configuration knows, and the mean of all tokens as the text's."""

    def make_model(self) -> nn.Module:
        biases = dict.fromkeys(("attention_bias", "mlp_bias", "norm_bias", "classifier_bias"), True)
        config = ModernBertConfig(**SIZES, **biases, classifier_pooling="mean")
        return ModernBertForSequenceClassification(config)  # type: ignore[no-any-return]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_padding_that_sees_no_token_does_no_harm(attention: str) -> None:
    """In a narrow window the last padding has padding alone around it: no row of its scores is left."""
    model: Any = randomize(TestModernBert().make_model())
    model.set_attn_implementation(attention)
    ids = torch.randint(5, VOCABULARY, (2, 29), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 3:] = 0
    logits = model(input_ids=ids, attention_mask=mask).logits
    alone = model(input_ids=ids[1:, :3], attention_mask=mask[1:, :3]).logits
    torch.testing.assert_close(logits[1:], alone, rtol=0, atol=1e-5)
    logits.square().sum().backward()
    assert all(bool(value.grad.isfinite().all()) for value in model.parameters())
