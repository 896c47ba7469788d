from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from compresskit.engine.count import count_macs, count_params
from compresskit.engine.variants import variant_named
from tests.engine.models import ARCHITECTURES


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("model_type", ["bert", "distilbert", "roberta", "modernbert"])
def test_counts_equal_the_blueprint(exported: Callable[[str], Any], model_type: str, name: str) -> None:
    made, architecture = exported(model_type), ARCHITECTURES[name]
    sliced = made.slicer.slice(architecture)
    assert count_params(sliced) == made.blueprint.num_params(architecture)
    for batch, length in ((1, 10), (3, 7)):
        assert count_macs(sliced, batch, length) == made.blueprint.macs(architecture, length, batch)


@pytest.mark.parametrize(
    "variant", ["onnx-attention", "multi-head", "packed-attention", "packed", "fused-norms"]
)
def test_fused_operators_are_counted_by_what_they_compute(
    exported: Callable[[str], Any], variant: str
) -> None:
    dense = exported("bert").plain
    wanted = count_macs(variant_named("first-token").apply(copy.deepcopy(dense)), 2, 9)
    found = variant_named(f"first-token-{variant}").apply(copy.deepcopy(dense))
    assert count_macs(found, 2, 9) == wanted
