from __future__ import annotations

from itertools import accumulate
from math import sqrt

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from compresskit.blocks import INPUTS, OUTPUTS, Partition
from compresskit.pruning.block.groups import group_norms, spread
from compresskit.pruning.block.penalty import GroupLasso

Array = npt.NDArray[np.float64]


def groups_by_hand(shape: tuple[int, int], axis: str, num_blocks: int) -> list[list[tuple[int, int]]]:
    """Positions (row, column) of every group, one list a group, block by block."""
    size, members = shape if axis == OUTPUTS else shape[::-1]
    widths = [size // num_blocks + (i < size % num_blocks) for i in range(num_blocks)]
    ends = list(accumulate(widths))
    found = []
    for width, end in zip(widths, ends, strict=True):
        for member in range(members):
            cells = [(i, member) for i in range(end - width, end)]
            found.append(cells if axis == OUTPUTS else [(b, a) for a, b in cells])
    return found


def penalty_by_hand(
    weight: Array, now: Array, axis: str, blocks: int, strength: float
) -> tuple[float, Array]:
    """Reweighted penalty of `now` with gamma taken from `weight`, and its gradient; all in float64."""
    total, gradient = 0.0, np.zeros_like(now)
    for cells in groups_by_hand(weight.shape, axis, blocks):
        before = sqrt(sum(weight[cell] ** 2 for cell in cells))
        norm = sqrt(sum(now[cell] ** 2 for cell in cells))
        gamma = 1 / (before + 1e-3)
        total += strength * gamma * norm
        for cell in cells:
            gradient[cell] = strength * gamma * now[cell] / norm if norm else 0.0
    return total, gradient


def linear(shape: tuple[int, int], seed: int = 0) -> nn.Sequential:
    generator = torch.Generator().manual_seed(seed)
    layer = nn.Linear(shape[1], shape[0]).double()
    with torch.no_grad():
        layer.weight.copy_(torch.randn(shape, generator=generator, dtype=torch.float64))
        layer.weight[:, 1] = 0.0  # a group that is zero already, when outputs are cut
        layer.weight[2] = 0.0
    return nn.Sequential(layer)


@pytest.mark.parametrize("axis", [OUTPUTS, INPUTS])
@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_value_and_gradient_are_those_worked_out_by_hand(axis: str, blocks: int) -> None:
    model = linear((7, 8))
    weight = model.get_parameter("0.weight")
    first = weight.detach().numpy().copy()
    lasso = GroupLasso(model, {"0": Partition(axis, blocks)}, 0.3)
    lasso(0, 8)
    with torch.no_grad():  # gamma stays what it was, the norms do not
        weight.mul_(0.7).add_(0.01 * torch.arange(56).view(7, 8))
    found = lasso(1, 8)
    found.backward()  # type: ignore[no-untyped-call]
    value, gradient = penalty_by_hand(first, weight.detach().numpy(), axis, blocks, 0.3)
    assert found.item() == pytest.approx(value, rel=1e-12)
    assert weight.grad is not None
    np.testing.assert_allclose(weight.grad.numpy(), gradient, rtol=1e-12, atol=1e-15)


def test_the_gradient_at_zero_is_zero() -> None:
    model = nn.Sequential(nn.Linear(4, 4))
    nn.init.zeros_(model.get_parameter("0.weight"))
    GroupLasso(model, {"0": Partition(OUTPUTS, 2)}, 1.0)(0, 4).backward()  # type: ignore[no-untyped-call]
    gradient = model.get_parameter("0.weight").grad
    assert gradient is not None and not gradient.any()


def test_gamma_is_taken_anew_at_every_milestone_and_all_lie_within_the_training() -> None:
    model = linear((6, 6))
    lasso = GroupLasso(model, {"0": Partition(OUTPUTS, 2)}, 1.0, refreshes=4)
    seen = []
    for step in range(10):
        lasso(step, 10)
        seen.append(lasso.gamma["0"].clone())
        with torch.no_grad():
            model.get_parameter("0.weight").mul_(0.9)
    assert lasso.refreshed_at == [0, 2, 5, 7]
    changed = [step for step in range(1, 10) if not torch.equal(seen[step], seen[step - 1])]
    assert changed == [2, 5, 7]
    norms = group_norms(model.get_parameter("0.weight") / 0.9**3, Partition(OUTPUTS, 2))
    torch.testing.assert_close(seen[9], 1 / (norms + 1e-3))


def test_a_training_shorter_than_its_milestones_still_refreshes_once_a_step() -> None:
    lasso = GroupLasso(linear((4, 4)), {"0": Partition(INPUTS, 2)}, 1.0, refreshes=4)
    for step in range(2):
        lasso(step, 2)
    assert lasso.refreshed_at == [0, 1]


def test_plain_lasso_weighs_all_groups_alike() -> None:
    model = linear((6, 5))
    found = GroupLasso(model, {"0": Partition(INPUTS, 2)}, 2.0, reweighted=False)(0, 4)
    weight = model.get_parameter("0.weight").detach().numpy()
    norms = [
        sqrt(sum(weight[cell] ** 2 for cell in cells)) for cells in groups_by_hand(weight.shape, INPUTS, 2)
    ]
    assert found.item() == pytest.approx(2 * sum(norms), rel=1e-12)


@pytest.mark.parametrize("axis", [OUTPUTS, INPUTS])
def test_spread_covers_the_groups_it_is_told(axis: str) -> None:
    shape, partition = torch.Size((5, 7)), Partition(axis, 2)
    groups = groups_by_hand((5, 7), axis, 2)
    for number in (0, 3, len(groups) - 1):
        stays = torch.zeros(2, len(groups) // 2, dtype=torch.bool)
        stays.view(-1)[number] = True
        found = {(int(i), int(j)) for i, j in spread(stays, partition, shape).nonzero()}
        assert found == set(groups[number])
