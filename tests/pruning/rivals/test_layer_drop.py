from __future__ import annotations

import pytest

from compresskit.architecture import Dimensions
from compresskit.errors import ArchitectureError, ConfigurationError
from compresskit.pruning.rivals.layer_drop import POLICIES, drop_order, layer_drop

DIMS = Dimensions(num_layers=6, num_heads=2, head_size=8, num_units=16, hidden_size=16)


@pytest.mark.parametrize(
    ("policy", "kept"),
    [("top", (0, 1, 2)), ("bottom", (3, 4, 5)), ("alternating", (0, 2, 4))],
)
def test_half_of_six(policy: str, kept: tuple[int, ...]) -> None:
    assert layer_drop(DIMS, 3, policy).kept_layers == kept
    assert set(layer_drop(DIMS, 3, policy).shapes) == {(2, 16)}


def test_alternating_goes_on_among_those_left() -> None:
    assert drop_order(6, "alternating") == [5, 3, 1, 2, 4, 0]
    assert drop_order(12, "alternating")[:6] == [11, 9, 7, 5, 3, 1]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("num_layers", [1, 2, 5, 12])
def test_every_layer_goes_once(policy: str, num_layers: int) -> None:
    assert sorted(drop_order(num_layers, policy)) == list(range(num_layers))


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'odd'.*alternating, bottom, top"):
        drop_order(6, "odd")
    for depth in (0, 7):
        with pytest.raises(ArchitectureError, match="1 to 6"):
            layer_drop(DIMS, depth, "top")
