from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from compresskit.engine.calibrate import activation_ranges
from compresskit.engine.count import count_macs, count_params
from compresskit.engine.export import export_onnx
from compresskit.engine.quantize import (
    quantizable_weights,
    quantize_weight,
    to_dynamic_int8,
    to_precision,
    to_static_int8,
)
from compresskit.engine.score import logits_of
from compresskit.engine.variants import variant_named
from compresskit.errors import ConfigurationError
from compresskit.supernet.embedder import SETTINGS, AutoEmbedder
from tests.engine.models import ARCHITECTURES, make_model, make_rows


def test_weights_come_back_within_half_a_step() -> None:
    weight = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    weight[:, 3] = 0
    values, scales = quantize_weight(weight)
    assert values.dtype == np.int8
    assert np.abs(values * scales - weight).max() <= scales.max() / 2 + 1e-7


@pytest.mark.parametrize(
    "variant", ["plain", "first-token-packed", "first-token-onnx-attention", "first-token-packed-attention"]
)
def test_dynamic_int8_of_any_variant_stays_near(exported: Callable[[str], Any], variant: str) -> None:
    made, rows = exported("bert"), make_rows()
    for name in ("full", "irregular"):
        graph = variant_named(variant).apply(made.slicer.slice(ARCHITECTURES[name]))
        wanted = logits_of(graph, rows)
        params, macs = count_params(graph), count_macs(graph, 2, 9)
        quantized = to_dynamic_int8(graph)
        onnx.checker.check_model(quantized)
        found = logits_of(quantized, rows)
        assert not np.array_equal(found, wanted)
        assert np.abs(found - wanted).mean() < 0.1 * np.abs(wanted).std() + 0.1
        assert (count_params(quantized), count_macs(quantized, 2, 9)) == (params, macs)


def test_largest_products_do_not_saturate() -> None:
    """Sums of two stay within 16 bits, which is all that x86 processors without VNNI have for them."""
    weight = np.full((64, 32), 0.5, dtype=np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"], name="dense/MatMul"),
        helper.make_node("Relu", ["product"], ["y"], name="dense/Relu"),
    ]
    sizes = {"x": 64, "y": 32}
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, sizes[name]]) for name in sizes)
    graph = helper.make_graph(nodes, "dense", [x], [y], [numpy_helper.from_array(weight, "weight")])
    opsets = [helper.make_opsetid("", 20)]
    model = to_dynamic_int8(helper.make_model(graph, opset_imports=opsets, ir_version=10))
    kinds = {
        item.data_type: numpy_helper.to_array(item) for item in model.graph.initializer if len(item.dims) == 2
    }
    assert 2 * 255 * int(np.abs(kinds[TensorProto.INT8]).max()) < 2**15
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = np.ones((2, 64), dtype=np.float32)
    assert session.run(None, {"x": values})[0] == pytest.approx(values @ weight, rel=0.01)


def test_only_products_are_quantized_and_named_ones_stay(exported: Callable[[str], Any]) -> None:
    name = "bert.encoder.layer.0.intermediate.dense.weight"
    quantized = to_dynamic_int8(copy.deepcopy(exported("bert").plain), keep_float=[name])
    kinds = {item.name: item.data_type for item in quantized.graph.initializer}
    assert kinds[name] == TensorProto.FLOAT
    assert kinds["bert.embeddings.word_embeddings.weight"] == TensorProto.FLOAT
    assert sum(kind == TensorProto.INT8 and n.endswith(".quantized") for n, kind in kinds.items()) == 17
    operators = Counter(node.op_type for node in quantized.graph.node)
    # Query, key and value read the same quantized tokens.
    assert (operators["MatMulInteger"], operators["DynamicQuantizeLinear"]) == (17, 11)


def test_static_int8_stays_near(exported: Callable[[str], Any]) -> None:
    made, rows = exported("bert"), make_rows()
    plain = copy.deepcopy(made.plain)
    wanted = logits_of(plain, rows)
    quantized = to_static_int8(plain, activation_ranges(plain, make_rows(seed=1) + rows))
    onnx.checker.check_model(quantized)
    found = logits_of(quantized, rows)
    assert not np.array_equal(found, wanted)
    assert np.abs(found - wanted).mean() < 0.1 * np.abs(wanted).std() + 0.1
    assert count_params(quantized) == made.blueprint.num_params(ARCHITECTURES["full"])


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("variant", ["plain", "first-token-packed"])
def test_static_int8_is_computed_in_int8(
    exported: Callable[[str], Any], tmp_path: Path, variant: str, fixed: bool
) -> None:
    graph = variant_named(variant).apply(copy.deepcopy(exported("bert").plain))
    wanted = sum(map(len, quantizable_weights(graph).values()))
    quantized = to_static_int8(graph, activation_ranges(graph, make_rows()))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    if fixed:
        options.add_free_dimension_override_by_name("batch", 1)
        options.add_free_dimension_override_by_name("length", 8)
    onnxruntime.InferenceSession(quantized.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = Counter(node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node)
    assert found["MatMulIntegerToFloat"] == wanted
    assert found["DequantizeLinear"] == 0


def test_symmetric_static_int8_has_activations_around_zero(exported: Callable[[str], Any]) -> None:
    plain, rows = copy.deepcopy(exported("bert").plain), make_rows()
    wanted = logits_of(plain, rows)
    graph = to_static_int8(plain, activation_ranges(plain, make_rows(seed=1) + rows), symmetric=True)
    found = logits_of(graph, rows)
    assert np.abs(found - wanted).mean() < 0.1 * np.abs(wanted).std() + 0.1
    values = {item.name: item for item in graph.graph.initializer}
    zeros = [
        numpy_helper.to_array(values[node.input[2]])
        for node in graph.graph.node
        if node.op_type == "QuantizeLinear"
    ]
    assert len(zeros) == 12
    assert all(zero.dtype == np.int8 and zero == 0 for zero in zeros)


def test_fp16_stays_near(exported: Callable[[str], Any]) -> None:
    rows = make_rows()
    wanted = logits_of(exported("bert").plain, rows)
    half = to_precision(copy.deepcopy(exported("bert").plain), "fp16")
    assert {item.data_type for item in half.graph.initializer} <= {TensorProto.FLOAT16, TensorProto.INT64}
    np.testing.assert_allclose(logits_of(half, rows), wanted, atol=0.05)


def test_angles_of_rotations_stay_in_fp32(exported: Callable[[str], Any]) -> None:
    """Of positions of hundreds, fp16 would lose the part of a turn that tells neighbours apart."""
    plain = copy.deepcopy(exported("modernbert").plain)
    rows = make_rows((300, 40))
    half = to_precision(copy.deepcopy(plain), "fp16")
    kinds = {item.name: item.data_type for item in half.graph.initializer}
    frequencies = {name for name in kinds if "inv_freq" in name}
    assert len(frequencies) == 2 and {kinds[name] for name in frequencies} == {TensorProto.FLOAT}
    assert kinds["model.final_norm.weight"] == TensorProto.FLOAT16
    np.testing.assert_allclose(logits_of(half, rows), logits_of(plain, rows), atol=0.05)


def test_distances_of_positions_stay_in_fp32() -> None:
    """MPNet's classes of distances are logarithms cut to whole numbers."""
    config = make_model("mpnet").config
    setattr(config, SETTINGS, {"pooling": "mean", "normalize": True})
    torch.manual_seed(0)
    model = AutoEmbedder.from_config(config).eval()
    with torch.no_grad():
        model.mpnet.encoder.relative_attention_bias.weight.normal_(0, 20)  # so that each class shows
    plain, rows = export_onnx(model), make_rows((38, 30))
    half = to_precision(copy.deepcopy(plain), "fp16")
    np.testing.assert_allclose(logits_of(half, rows), logits_of(plain, rows), atol=0.01)


def test_unknown_precision_lists_the_permitted(exported: Callable[[str], Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"'int4'.*fp16, fp32, int8"):
        to_precision(copy.deepcopy(exported("bert").plain), "int4")
