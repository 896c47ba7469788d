from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto
from torch import nn
from transformers import DebertaV2Config, DebertaV2ForSequenceClassification

from compresskit.architecture import Architecture, Layer
from compresskit.bundle.session import make_session
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.engine.quantize import to_precision
from compresskit.engine.score import logits_of
from compresskit.errors import UnsupportedModelError
from compresskit.kept import Kept
from compresskit.supernet.network import SuperNetwork
from tests.contracts.family import HEADS, UNITS, FamilyContract, padded_batch, randomize
from tests.engine.models import make_rows
from tests.families.test_bert import SIZES

OLDER: dict[str, Any] = {  # than version 3: projections of distances apart, one row a distance
    **SIZES,
    "embedding_size": 16,
    "type_vocab_size": 0,
    "relative_attention": True,
    "max_relative_positions": 200,  # the exporter computes products of a small table itself
    "pos_att_type": "p2c|c2p",
    "position_biased_input": False,
}
NEWER: dict[str, Any] = {
    **OLDER,
    "share_att_key": True,
    "max_relative_positions": 32,
    "position_buckets": 8,
    "norm_rel_ebd": "layer_norm",
}


def make(**settings: Any) -> nn.Module:
    return DebertaV2ForSequenceClassification(DebertaV2Config(**settings, num_labels=3))  # type: ignore[no-any-return]


@pytest.mark.slow
class TestVersion3(FamilyContract):
    def make_model(self) -> nn.Module:
        return make(**NEWER)


@pytest.mark.slow
class TestVersion2(FamilyContract):
    def make_model(self) -> nn.Module:
        return make(**OLDER)


@pytest.mark.slow
class TestWithoutDistances(FamilyContract):
    """As a configuration that says nothing about them gives it, with a table of positions."""

    def make_model(self) -> nn.Module:
        return make(**SIZES, embedding_size=16, type_vocab_size=0)


@pytest.fixture(scope="module")
def wide() -> tuple[SuperNetwork, ModelProto]:
    """A model whose weights are so large that the exporter turns none that two products read."""
    sizes = {
        "vocab_size": 100,
        "hidden_size": 128,
        "num_hidden_layers": 2,
        "position_buckets": 64,
        "max_relative_positions": 128,
    }
    model = randomize(make(**NEWER | sizes))
    return SuperNetwork(model), export_onnx(model)


def test_texts_may_be_longer_than_the_distances_that_are_told_apart(
    wide: tuple[SuperNetwork, ModelProto],
) -> None:
    supernet, graph = wide
    architecture = Architecture(
        (
            Layer(Kept.of(HEADS, [1, 3]), Kept.of(UNITS, [0, 5, 7])),
            Layer(Kept.of(HEADS, [0, 1, 3]), Kept.of(UNITS, range(1, UNITS))),
        )
    )
    sliced = make_session(GraphSlicer(graph, supernet.blueprint).slice(architecture).SerializeToString())
    for rows, length in ((3, 5), (1, 64), (8, 130), (2, 600)):
        batch = padded_batch(rows, length, left=False)
        (found,) = sliced.run(None, {name: value.numpy() for name, value in batch.items()})
        wanted = supernet(architecture, **batch).logits.detach().numpy()
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("precision", "atol"), [("fp16", 0.02), ("int8", 0.4)])
def test_distances_are_right_in_other_precisions(
    wide: tuple[SuperNetwork, ModelProto], precision: str, atol: float
) -> None:
    """Classes of distances are whole numbers; a weight that queries and distances share is stored once."""
    _, plain = wide
    other = to_precision(deepcopy(plain), precision)
    names = [item.name for item in other.graph.initializer]
    assert len(names) == len(set(names))
    assert not [name for name in names if name.endswith("quantized_1")]
    rows = make_rows((5, 130))
    np.testing.assert_allclose(logits_of(other, rows), logits_of(plain, rows), rtol=0, atol=atol)


def test_a_convolution_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="conv_kernel_size=3 are not supported; permitted: 0"):
        SuperNetwork(randomize(make(**NEWER, conv_kernel_size=3)))
