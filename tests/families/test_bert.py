from __future__ import annotations

import pytest
from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    ErnieConfig,
    ErnieForSequenceClassification,
)

from compresskit.pruning.extract import extract
from tests.contracts.family import (
    HEADS,
    HIDDEN,
    LAYERS,
    UNITS,
    VOCABULARY,
    FamilyContract,
    irregular,
    make_batch,
    randomize,
)

SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": UNITS,
    "max_position_embeddings": 32,
}


class TestBert(FamilyContract):
    def make_model(self) -> nn.Module:
        return BertForSequenceClassification(BertConfig(**SIZES, num_labels=3))  # type: ignore[no-any-return]

    def test_tied_weights_stay_tied(self) -> None:
        model = randomize(BertForMaskedLM(BertConfig(**SIZES)))
        pruned = extract(model, irregular())
        decoder = pruned.get_submodule("cls.predictions.decoder")
        embeddings = pruned.get_submodule("bert.embeddings.word_embeddings")
        assert decoder.weight is embeddings.weight
        assert pruned(**make_batch()).logits.shape == (3, 7, VOCABULARY)


@pytest.mark.slow
class TestElectra(FamilyContract):
    def make_model(self) -> nn.Module:
        config = ElectraConfig(**SIZES, embedding_size=16, num_labels=3)
        return ElectraForSequenceClassification(config)  # type: ignore[no-any-return]


@pytest.mark.slow
class TestErnie(FamilyContract):
    def make_model(self) -> nn.Module:
        return ErnieForSequenceClassification(ErnieConfig(**SIZES, num_labels=3))  # type: ignore[no-any-return]
