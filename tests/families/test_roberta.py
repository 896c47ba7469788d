from __future__ import annotations

from torch import nn
from transformers import (
    CamembertConfig,
    CamembertForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

from tests.contracts.family import FamilyContract
from tests.families.test_bert import SIZES


class TestRoberta(FamilyContract):
    def make_model(self) -> nn.Module:
        return RobertaForSequenceClassification(RobertaConfig(**SIZES))  # type: ignore[no-any-return]


class TestXlmRoberta(FamilyContract):
    def make_model(self) -> nn.Module:
        return XLMRobertaForSequenceClassification(XLMRobertaConfig(**SIZES))  # type: ignore[no-any-return]


class TestCamembert(FamilyContract):
    def make_model(self) -> nn.Module:
        return CamembertForSequenceClassification(CamembertConfig(**SIZES))  # type: ignore[no-any-return]
