from __future__ import annotations

import numpy as np
import pytest
import torch

from compresskit.slicing import Cut, Index


def index(*members: int) -> Index:
    return np.array(members, dtype=np.int64)


VALUE = np.arange(24.0).reshape(4, 6)


@pytest.mark.parametrize(
    "keep",
    [
        (),
        (None, None),
        (index(0, 1), None),
        (None, index(1, 2, 3)),
        (index(0, 3), None),
        (index(1, 3), index(0, 2, 5)),
        (index(), None),
    ],
)
def test_numpy_and_torch_are_cut_alike(keep: tuple[Index | None, ...]) -> None:
    cut = Cut("weight", keep)
    rows = np.arange(4) if not keep or keep[0] is None else keep[0]
    columns = np.arange(6) if len(keep) < 2 or keep[1] is None else keep[1]
    wanted = VALUE[np.ix_(rows, columns)]
    np.testing.assert_array_equal(cut.apply(VALUE), wanted)
    np.testing.assert_array_equal(cut.apply(torch.from_numpy(VALUE)).numpy(), wanted)
    assert cut.shape((4, 6)) == wanted.shape


def test_neighbours_are_cut_as_a_view() -> None:
    cut = Cut("weight", (None, index(2, 3, 4)))
    assert np.shares_memory(cut.apply(VALUE), VALUE)


def test_gradients_flow_into_the_kept_members() -> None:
    weight = torch.ones(4, 6, requires_grad=True)
    Cut("weight", (index(1, 3), None)).apply(weight).sum().backward()
    assert weight.grad is not None
    assert weight.grad.sum(1).tolist() == [0.0, 6.0, 0.0, 6.0]
