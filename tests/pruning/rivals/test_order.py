from __future__ import annotations

import torch

from compresskit.architecture import Architecture, Layer
from compresskit.kept import Kept
from compresskit.pruning.rivals.order import move_to_front
from compresskit.supernet.network import SuperNetwork
from tests.contracts.family import HEADS, UNITS, irregular, make_batch, randomize
from tests.training.make import make_model


def inner() -> Architecture:
    """A part of `irregular()`, as scattered."""
    return Architecture(
        (
            Layer(Kept.of(HEADS, [3]), Kept.of(UNITS, [3, 9, 21])),
            Layer(Kept(HEADS, 0), Kept(UNITS, 0)),
            Layer(Kept(HEADS, 0), Kept.of(UNITS, [11])),
            Layer(Kept.of(HEADS, [0, 3]), Kept(UNITS, 0)),
        )
    )


def test_sub_networks_compute_as_before_by_counts_alone() -> None:
    supernet, batch = SuperNetwork(randomize(make_model())), make_batch()
    nested = [supernet.full, irregular(), inner()]
    before = [supernet(architecture, **batch).logits for architecture in nested]
    moved = move_to_front(supernet.model, nested)
    assert [found.shapes for found in moved] == [wanted.shapes for wanted in nested]
    assert [found.kept_layers for found in moved] == [wanted.kept_layers for wanted in nested]
    for architecture, wanted in zip(moved, before, strict=True):
        assert all(layer.heads.is_first and layer.units.is_first for layer in architecture.layers)
        torch.testing.assert_close(supernet(architecture, **batch).logits, wanted, rtol=0, atol=1e-5)
