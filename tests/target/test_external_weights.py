from __future__ import annotations

import onnx

from compresskit.target.external_weights import APART_BYTES, without_weights
from tests.target.graphs import chain


def test_large_weights_come_out_and_go_back() -> None:
    model = onnx.load_model_from_string(chain(width=160))
    before = model.SerializeToString(deterministic=True)
    light = without_weights(model)
    assert set(light.weights) == {"table", "w0", "w1"}
    assert all(weight.nbytes >= APART_BYTES for weight in light.weights.values())
    assert light.model.ByteSize() < 1000
    assert light.whole().graph == model.graph
    assert abs(light.size_bytes - len(before)) < 1000
    assert model.SerializeToString(deterministic=True) == before


def test_small_weights_stay() -> None:
    light = without_weights(onnx.load_model_from_string(chain()))
    assert light.weights == {}
    assert len(light.model.graph.initializer) == 3
