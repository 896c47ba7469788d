from __future__ import annotations

from typing import Any

import pytest
from torch import nn
from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

from compresskit.errors import UnsupportedModelError
from compresskit.supernet.network import SuperNetwork
from tests.contracts.family import FamilyContract, randomize
from tests.families.test_bert import SIZES

OLDER: dict[str, Any] = {  # than version 3: projections of distances apart, one row a distance
    **SIZES,
    "embedding_size": 16,
    "type_vocab_size": 0,
    "relative_attention": True,
    "max_relative_positions": 200,  # the exporter computes products of a small table itself
    "pos_att_type": "p2c|c2p",
    "position_biased_input": False,
}
NEWER: dict[str, Any] = {
    **OLDER,
    "share_att_key": True,
    "max_relative_positions": 32,
    "position_buckets": 8,
    "norm_rel_ebd": "layer_norm",
}


def make(**settings: Any) -> nn.Module:
    return DebertaV2ForSequenceClassification(DebertaV2Config(**settings, num_labels=3))  # type: ignore[no-any-return]


class TestVersion3(FamilyContract):
    def make_model(self) -> nn.Module:
        return make(**NEWER)


@pytest.mark.slow
class TestVersion2(FamilyContract):
    def make_model(self) -> nn.Module:
        return make(**OLDER)


@pytest.mark.slow
class TestWithoutDistances(FamilyContract):
    """As a configuration that says nothing about them gives it, with a table of positions."""

    def make_model(self) -> nn.Module:
        return make(**SIZES, embedding_size=16, type_vocab_size=0)


def test_a_convolution_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="conv_kernel_size=3 are not supported; permitted: 0"):
        SuperNetwork(randomize(make(**NEWER, conv_kernel_size=3)))
