from __future__ import annotations

from torch import nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from tests.contracts.family import HEADS, HIDDEN, LAYERS, UNITS, VOCABULARY, FamilyContract


class TestDistilBert(FamilyContract):
    def make_model(self) -> nn.Module:
        config = DistilBertConfig(
            vocab_size=VOCABULARY,
            dim=HIDDEN,
            n_layers=LAYERS,
            n_heads=HEADS,
            hidden_dim=UNITS,
            max_position_embeddings=32,
        )
        return DistilBertForSequenceClassification(config)  # type: ignore[no-any-return]
