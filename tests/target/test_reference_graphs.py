"""The built-in reference computes what it says, and stays small."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from compresskit.target.graph import weight_bytes
from compresskit.target.reference_graphs import LARGE_BYTES, default_reference, large_reference, reference_for
from compresskit.target.statistics import Array

WIDTHS: dict[Callable[[], bytes], tuple[int, int]] = {default_reference: (160, 5), large_reference: (384, 12)}


def weights(model: bytes) -> list[Array]:
    graph = onnx.load_from_string(model).graph
    found = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    named = [name for node in graph.node if node.op_type == "MatMul" for name in node.input if name in found]
    return [found[name].astype(np.float64) for name in named]


def normalized(values: Array) -> Array:
    centred = values - values.mean(-1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12))


def encoder_layer(tokens: Array, heads: int, matrices: list[Array]) -> Array:
    """BERT's layer in double precision; the reference's biases are zero and its norms are plain."""
    query, key, value, out, up, down = matrices
    size = tokens.shape[-1] // heads

    def split(x: Array) -> Array:
        return x.reshape(*x.shape[:2], heads, size).transpose(0, 2, 1, 3)

    q, k, v = (split(tokens @ weight) for weight in (query, key, value))
    scores = np.exp(q @ k.transpose(0, 1, 3, 2) / math.sqrt(size))
    mixed = (scores / scores.sum(-1, keepdims=True)) @ v
    attended = normalized(mixed.transpose(0, 2, 1, 3).reshape(tokens.shape) @ out + tokens)
    inner = attended @ up
    inner = inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))) / 2
    return normalized(inner @ down + attended)


@pytest.mark.parametrize("shape", [(1, 7), (2, 16)])
@pytest.mark.parametrize("reference", WIDTHS)
def test_is_encoder_layers(reference: Callable[[], bytes], shape: tuple[int, int]) -> None:
    width, heads = WIDTHS[reference]
    tokens = np.random.default_rng(0).standard_normal((*shape, width))
    session = onnxruntime.InferenceSession(reference(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"tokens": tokens.astype(np.float32)})
    matrices, expected = weights(reference()), tokens
    for start in range(0, len(matrices), 6):
        expected = encoder_layer(expected, heads, matrices[start : start + 6])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_small_one_fits_a_cores_cache() -> None:
    assert len(default_reference()) < 1.5 * (1 << 20)


@pytest.mark.parametrize("reference", WIDTHS)
def test_loads_on_an_old_runtime(reference: Callable[[], bytes]) -> None:
    model = onnx.load_from_string(reference())
    assert model.ir_version <= 8
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 13)]


def test_suits_the_size() -> None:
    assert weight_bytes(default_reference()) < LARGE_BYTES < weight_bytes(large_reference())
    for graph in WIDTHS:
        assert reference_for(weight_bytes(graph())) == graph()
