"""The shared embedding against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from compresskit.supernet.lookup import SharedEmbedding

IDS = torch.tensor([[3, 1, 3], [0, 2, 3]])  # one row three times, and the padding


@pytest.fixture
def pair() -> tuple[SharedEmbedding, nn.Embedding]:
    shared, plain = SharedEmbedding(7, 4, padding_idx=0), nn.Embedding(7, 4, padding_idx=0)
    plain.load_state_dict(shared.state_dict())
    return shared, plain


def test_output_and_gradient_equal_those_of_torch(pair: tuple[SharedEmbedding, nn.Embedding]) -> None:
    slopes = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    for _ in range(2):  # gradients of several sub-networks add up
        outputs = [table(IDS) for table in pair]
        torch.testing.assert_close(*outputs, rtol=0, atol=0)
        for output in outputs:
            (output * slopes).sum().backward()
    shared, plain = pair
    assert shared.weight.grad is not None and plain.weight.grad is not None
    torch.testing.assert_close(shared.weight.grad, plain.weight.grad)
    assert shared.weight.grad[0].eq(0).all()
    assert shared.weight.grad[3].ne(0).any()


def test_a_frozen_table_gets_no_gradient(pair: tuple[SharedEmbedding, nn.Embedding]) -> None:
    shared, _ = pair
    shared.weight.requires_grad_(False)
    assert not shared(IDS).requires_grad
    assert shared.weight.grad is None
