from __future__ import annotations

import numpy as np
import pytest

from compresskit.spaces.sizes import choose, fill


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99, 1.0])
def test_fill_meets_the_total(share: float) -> None:
    rng = np.random.default_rng(0)
    weights = np.array([1.0, 5.0, 2.0, 2.0, 10.0])
    for _ in range(50):
        shares = fill(weights, share * weights.sum(), rng)
        assert shares.min() >= 0
        assert shares.max() <= 1
        assert weights @ shares == pytest.approx(share * weights.sum(), abs=1e-9)


def test_choose_draws_distinct_members() -> None:
    chosen = choose(10, 7, np.random.default_rng(0))
    assert len(set(chosen)) == 7
    assert set(chosen) <= set(range(10))
