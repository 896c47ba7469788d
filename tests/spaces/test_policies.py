from __future__ import annotations

import pytest

from compresskit.errors import ArchitectureError, ConfigurationError
from compresskit.spaces import LAYER_POLICIES, kept_layers


@pytest.mark.parametrize(
    ("depth", "layers"), [(1, (0,)), (2, (0, 5)), (3, (0, 2, 5)), (4, (0, 1, 3, 5)), (6, (0, 1, 2, 3, 4, 5))]
)
def test_spread(depth: int, layers: tuple[int, ...]) -> None:
    assert kept_layers(6, depth, "spread") == layers


def test_first() -> None:
    assert kept_layers(6, 3, "first") == (0, 1, 2)


@pytest.mark.parametrize("policy", LAYER_POLICIES)
@pytest.mark.parametrize("num_layers", [1, 2, 7, 12])
def test_every_policy_keeps_as_many_as_asked(policy: str, num_layers: int) -> None:
    for depth in range(1, num_layers + 1):
        layers = kept_layers(num_layers, depth, policy)
        assert len(set(layers)) == depth
        assert list(layers) == sorted(layers)
        assert 0 <= layers[0] <= layers[-1] < num_layers


def test_impossible_depths_and_unknown_policies_are_refused() -> None:
    for depth in (0, 7):
        with pytest.raises(ArchitectureError, match="1 to 6"):
            kept_layers(6, depth, "first")
    with pytest.raises(ConfigurationError, match="first, spread"):
        kept_layers(6, 3, "middle")
