"""Gradients are taken through plain products where that is quick; the family contract compares them."""

from __future__ import annotations

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from compresskit.supernet.attention import LONG, PLAIN, quick_gradients
from compresskit.supernet.network import SuperNetwork
from tests.contracts.family import randomize
from tests.families.test_bert import SIZES


@pytest.fixture
def supernet() -> SuperNetwork:
    return SuperNetwork(randomize(BertForSequenceClassification(BertConfig(**SIZES)))).eval()


@pytest.mark.skipif(torch.cuda.is_available(), reason="the fused kernel stays on a GPU")
def test_short_texts_take_plain_products_and_the_kernel_comes_back(supernet: SuperNetwork) -> None:
    before = supernet.attention
    assert before != PLAIN
    with quick_gradients(supernet, [12, 40]):
        assert supernet.attention == PLAIN
    assert supernet.attention == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="the fused kernel stays on a GPU")
def test_the_kernel_comes_back_after_an_error(supernet: SuperNetwork) -> None:
    before = supernet.attention
    with pytest.raises(ZeroDivisionError), quick_gradients(supernet, [12]):
        raise ZeroDivisionError
    assert supernet.attention == before


def test_long_texts_keep_the_fused_kernel(supernet: SuperNetwork) -> None:
    before = supernet.attention
    # Most rows are short, and most of the time goes into the others.
    with quick_gradients(supernet, [8] * 10 + [2 * LONG] * 5):
        assert supernet.attention == before
