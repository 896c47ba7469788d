"""The built-in reference computes what it says, and stays small."""

from __future__ import annotations

import math

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from compresskit.target.reference import default_reference
from compresskit.target.statistics import Array

WIDTH, HEADS = 160, 5


def weights() -> list[Array]:
    graph = onnx.load_from_string(default_reference()).graph
    found = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    named = [name for node in graph.node if node.op_type == "MatMul" for name in node.input if name in found]
    return [found[name].astype(np.float64) for name in named]


def normalized(values: Array) -> Array:
    centred = values - values.mean(-1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12))


def encoder_layer(tokens: Array) -> Array:
    """BERT's layer in double precision; the reference's biases are zero and its norms are plain."""
    query, key, value, out, up, down = weights()

    def split(x: Array) -> Array:
        return x.reshape(*x.shape[:2], HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

    q, k, v = (split(tokens @ weight) for weight in (query, key, value))
    scores = np.exp(q @ k.transpose(0, 1, 3, 2) / math.sqrt(WIDTH / HEADS))
    mixed = (scores / scores.sum(-1, keepdims=True)) @ v
    attended = normalized(mixed.transpose(0, 2, 1, 3).reshape(tokens.shape) @ out + tokens)
    inner = attended @ up
    inner = inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))) / 2
    return normalized(inner @ down + attended)


@pytest.mark.parametrize("shape", [(1, 7), (2, 16)])
def test_is_an_encoder_layer(shape: tuple[int, int]) -> None:
    tokens = np.random.default_rng(0).standard_normal((*shape, WIDTH))
    session = onnxruntime.InferenceSession(default_reference(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"tokens": tokens.astype(np.float32)})
    np.testing.assert_allclose(found, encoder_layer(tokens), atol=1e-4)


def test_fits_a_cores_cache_and_an_old_runtime() -> None:
    model = onnx.load_from_string(default_reference())
    assert len(default_reference()) < 1.5 * (1 << 20)
    assert model.ir_version <= 8
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 13)]
