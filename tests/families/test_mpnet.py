from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import MPNetConfig, MPNetForSequenceClassification, MPNetForTokenClassification

from compresskit.pruning.extract import extract
from compresskit.supernet.network import SuperNetwork
from compresskit.tasks.encoding import position_limit
from tests.contracts.family import ARCHITECTURES, FamilyContract, make_batch, randomize
from tests.families.test_bert import SIZES


class TestMPNet(FamilyContract):
    def make_model(self) -> nn.Module:
        return MPNetForSequenceClassification(MPNetConfig(**SIZES, num_labels=3))  # type: ignore[no-any-return]


def test_a_tagger_is_cut_as_well() -> None:
    supernet = SuperNetwork(randomize(MPNetForTokenClassification(MPNetConfig(**SIZES, num_labels=5))))
    for architecture in ARCHITECTURES.values():
        found = supernet(architecture, **make_batch()).logits
        wanted = extract(supernet.model, architecture).eval()(**make_batch()).logits
        assert found.shape == (3, 7, 5)
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


def test_the_longest_text_hangs_on_the_id_of_padding_that_is_built_in() -> None:
    config = MPNetConfig(**SIZES, pad_token_id=0)
    longest = position_limit(config.to_dict())
    assert longest == SIZES["max_position_embeddings"] - 2
    model: Any = randomize(MPNetForSequenceClassification(config))
    assert model(input_ids=torch.full((1, longest), 7)).logits.isfinite().all()
