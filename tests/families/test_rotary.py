from __future__ import annotations

from typing import Any

import pytest
from torch import nn
from transformers import (
    GteConfig,
    GteForSequenceClassification,
    JinaEmbeddingsV3Config,
    JinaEmbeddingsV3ForSequenceClassification,
    NomicBertConfig,
    NomicBertForSequenceClassification,
)

from tests.contracts.family import FamilyContract
from tests.families.test_bert import SIZES

NAMED: dict[str, Any] = SIZES | {"num_labels": 3, "pad_token_id": 1}


@pytest.mark.slow
class TestNomicBert(FamilyContract):
    """Gates, segments, no biases."""

    def make_model(self) -> nn.Module:
        return NomicBertForSequenceClassification(NomicBertConfig(**NAMED))  # type: ignore[no-any-return]


@pytest.mark.slow
class TestGte(FamilyContract):
    """Gates without biases, all else with them."""

    def make_model(self) -> nn.Module:
        return GteForSequenceClassification(GteConfig(**NAMED))  # type: ignore[no-any-return]


@pytest.mark.slow
class TestGteWithoutSegments(FamilyContract):
    def make_model(self) -> nn.Module:
        config = GteConfig(**NAMED, type_vocab_size=0)
        return GteForSequenceClassification(config)  # type: ignore[no-any-return]


@pytest.mark.slow
class TestJinaEmbeddings(FamilyContract):
    """No gates."""

    def make_model(self) -> nn.Module:
        config = JinaEmbeddingsV3Config(**NAMED)
        return JinaEmbeddingsV3ForSequenceClassification(config)  # type: ignore[no-any-return]
