from __future__ import annotations

from typing import Any

from torch import nn
from transformers import ModernBertConfig, ModernBertForSequenceClassification

from tests.contracts.family import HEADS, HIDDEN, LAYERS, UNITS, VOCABULARY, FamilyContract

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


class TestModernBertWithBiases(FamilyContract):
    """With all biases that the configuration knows, and the mean of all tokens as the text's."""

    def make_model(self) -> nn.Module:
        biases = dict.fromkeys(("attention_bias", "mlp_bias", "norm_bias", "classifier_bias"), True)
        config = ModernBertConfig(**SIZES, **biases, classifier_pooling="mean")
        return ModernBertForSequenceClassification(config)  # type: ignore[no-any-return]
