from __future__ import annotations

from itertools import pairwise

import pytest

from compresskit.methods.sizes import ladder


def test_a_ladder_goes_down_in_equal_ratios_and_ends_where_a_method_does() -> None:
    shares = ladder(8)
    ratios = [after / before for before, after in pairwise(shares)]
    assert (shares[0], shares[-1]) == pytest.approx((0.85, 1 / 28))
    assert ratios == pytest.approx([ratios[0]] * 7)
    assert ladder(4, least=0.2)[-1] == pytest.approx(0.2)
    assert 1 / 28 < ladder(1)[0] < 0.85
