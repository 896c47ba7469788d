"""Rearrangement against every mask of the same count."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch

from compresskit.architecture import Architecture, Layer
from compresskit.kept import Kept
from compresskit.pruning.rivals.retraining_free.rearrange import rearrange, rearrange_kept
from compresskit.pruning.rivals.scores import MaskGradients

TOTAL = 7


def gradients(seed: int, rows: int = 20) -> torch.Tensor:
    """Slopes of members that are correlated, so that some cancel each other."""
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(rows, 3, generator=generator) @ torch.randn(3, TOTAL, generator=generator)
    return mixed + 0.3 * torch.randn(rows, TOTAL, generator=generator)


def damage(kept: Kept, slopes: torch.Tensor) -> float:
    """The sum over rows of the squared slope of what goes."""
    gone = [i for i in range(kept.total) if not kept.mask >> i & 1]
    return float(slopes.double()[:, gone].sum(1).square().sum())


def by_own_score(slopes: torch.Tensor, count: int) -> Kept:
    best = slopes.square().sum(0).argsort(descending=True)[:count]
    return Kept.of(TOTAL, best.tolist())


@pytest.mark.parametrize("count", [1, 3, 5, 6])
@pytest.mark.parametrize("seed", range(6))
def test_no_single_exchange_is_better(seed: int, count: int) -> None:
    slopes = gradients(seed)
    start = by_own_score(slopes, count)
    found = rearrange_kept(start, slopes)
    left = damage(found, slopes)
    assert found.count == count
    assert left <= damage(start, slopes)
    for out in found.indices:
        for back in set(range(TOTAL)) - set(found.indices):
            swapped = Kept.of(TOTAL, {*found.indices} - {out} | {back})
            assert left <= damage(swapped, slopes) * (1 + 1e-9)


def test_it_finds_the_best_of_all_most_of_the_time() -> None:
    hits = 0
    for seed in range(30):
        slopes = gradients(seed)
        found = damage(rearrange_kept(by_own_score(slopes, 3), slopes), slopes)
        best = min(damage(Kept.of(TOTAL, kept), slopes) for kept in combinations(range(TOTAL), 3))
        hits += found <= best * (1 + 1e-9)
    assert hits >= 20


def test_members_that_cancel_each_other_go_together() -> None:
    slopes = torch.tensor([[3.0, 1.0, 1.05, -1.2], [3.0, 0.0, 0.0, 0.0]])
    start = Kept.of(4, [0, 3])  # 1 and 2 have the lowest scores of their own, but add up
    assert rearrange_kept(start, slopes).indices == (0, 1)


def test_independent_members_stay_as_their_own_scores_say() -> None:
    slopes = torch.eye(TOTAL) * torch.tensor([3.0, 1, 7, 5, 2, 6, 4])
    start = by_own_score(slopes, 3)
    assert rearrange_kept(start, slopes) == start
    assert rearrange_kept(Kept.of(TOTAL, [0, 1, 4]), slopes) == start


def test_all_or_none_are_left_alone_and_layers_keep_their_counts() -> None:
    slopes = MaskGradients(torch.randn(5, 2, 4), torch.randn(5, 2, TOTAL))
    architecture = Architecture(
        (
            Layer(Kept.first(4, 4), Kept.of(TOTAL, [1, 2])),
            Layer(Kept.of(4, [2]), Kept(TOTAL, 0)),
        )
    )
    found = rearrange(architecture, slopes)
    assert found.shapes == architecture.shapes
    assert found.layers[0].heads == architecture.layers[0].heads
