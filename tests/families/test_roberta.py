from __future__ import annotations

import pytest
from torch import nn
from transformers import (
    CamembertConfig,
    CamembertForSequenceClassification,
    Data2VecTextConfig,
    Data2VecTextForSequenceClassification,
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


@pytest.mark.slow
class TestXlmRoberta(FamilyContract):
    def make_model(self) -> nn.Module:
        return XLMRobertaForSequenceClassification(XLMRobertaConfig(**SIZES))  # type: ignore[no-any-return]


@pytest.mark.slow
class TestCamembert(FamilyContract):
    def make_model(self) -> nn.Module:
        return CamembertForSequenceClassification(CamembertConfig(**SIZES))  # type: ignore[no-any-return]


@pytest.mark.slow
class TestData2VecText(FamilyContract):
    def make_model(self) -> nn.Module:
        return Data2VecTextForSequenceClassification(Data2VecTextConfig(**SIZES))  # type: ignore[no-any-return]
