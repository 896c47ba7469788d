from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from compresskit.blocks import AXES, OUTPUTS, BlockMatrix, Partition
from compresskit.pruning.block.linear import BlockLinear, gather_weight, scatter_weight


def masked(axis: str, *, empty_block: bool = False) -> tuple[nn.Linear, BlockMatrix]:
    """A double-precision layer whose pruned groups are zero."""
    torch.manual_seed(0)
    layer = nn.Linear(12, 10).double()
    widths = Partition(axis, 3).widths((10, 12))
    stays = np.random.default_rng(1).random((3, 12 if axis == OUTPUTS else 10)) < 0.4
    if empty_block:
        stays[1] = False
    mask = np.repeat(stays, widths, axis=0)
    mask = mask if axis == OUTPUTS else mask.T
    with torch.no_grad():
        layer.weight.mul_(torch.from_numpy(mask.copy()))
    return layer, BlockMatrix.of_mask(mask, axis, widths)


@pytest.mark.parametrize("empty_block", [False, True])
@pytest.mark.parametrize("axis", AXES)
def test_it_computes_and_learns_what_the_masked_layer_does(axis: str, empty_block: bool) -> None:
    layer, matrix = masked(axis, empty_block=empty_block)
    blocks = BlockLinear.of(layer, matrix)
    x = torch.randn(2, 5, 12, dtype=torch.float64, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    torch.testing.assert_close(blocks(y), layer(x), rtol=1e-12, atol=1e-12)
    weights = torch.randn(2, 5, 10, dtype=torch.float64)
    (layer(x) * weights).sum().backward()
    (blocks(y) * weights).sum().backward()
    torch.testing.assert_close(y.grad, x.grad)
    assert layer.weight.grad is not None and layer.bias is not None and blocks.bias is not None
    torch.testing.assert_close(blocks.weight.grad, gather_weight(layer.weight.grad, matrix))
    torch.testing.assert_close(blocks.bias.grad, layer.bias.grad)


@pytest.mark.parametrize("axis", AXES)
def test_only_what_stays_is_stored_and_comes_back(axis: str) -> None:
    layer, matrix = masked(axis)
    blocks = BlockLinear.of(layer, matrix)
    assert set(blocks.state_dict()) == {"weight", "bias"}
    assert blocks.weight.numel() == int((layer.weight != 0).sum())
    torch.testing.assert_close(scatter_weight(blocks.weight.detach(), matrix), layer.weight.detach())


def test_it_trains_under_bfloat16_autocast() -> None:
    layer, matrix = masked("inputs")
    blocks = BlockLinear.of(layer.float(), matrix)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = blocks(torch.randn(4, 12))
    y.float().sum().backward()
    assert blocks.weight.grad is not None and blocks.weight.grad.any()
