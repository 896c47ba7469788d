"""Spreading a total size over parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def fill(weights: npt.NDArray[np.float64], total: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Random shares in [0, 1] of parts of the given `weights` (n,), so that weights @ shares is `total`.

    Shares are proportional to exponential draws, capped at 1: the parts that are full leave the
    rest to the others. `total` must lie in [0, sum(weights)].
    """
    draws = rng.exponential(size=len(weights)) + 1e-9
    # Scale s = total of min(1, s * draw) * weight: piecewise linear in s, with a knee at 1 / draw.
    order = np.argsort(-draws)
    draws_in_order, weights_in_order = draws[order], weights[order]
    capped = np.concatenate(([0.0], np.cumsum(weights_in_order)))  # weight of the first k, all full
    rest = np.cumsum((draws_in_order * weights_in_order)[::-1])[::-1]  # draw x weight of the others
    for k in range(len(weights)):
        scale = max(total - capped[k], 0.0) / rest[k]
        if scale * draws_in_order[k] <= 1:
            shares: npt.NDArray[np.float64] = np.minimum(1.0, scale * draws)
            return shares
    return np.ones(len(weights))


def choose(total: int, count: int, rng: np.random.Generator) -> list[int]:
    """`count` of the members 0 to `total` - 1, all subsets equally likely."""
    return [int(i) for i in rng.choice(total, size=count, replace=False)]
