from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, load_model_from_string, numpy_helper

from compresskit.errors import TargetError
from compresskit.target.graph import GraphInput, read_inputs, weight_bytes
from compresskit.target.inputs import Feed, make_inputs, open_dimensions, plan_feeds
from tests.target.graphs import chain, written


def test_reads_inputs_like_onnx_does(tmp_path: Path) -> None:
    data = chain(vocabulary=321, shape=("batch", 7))
    wanted = [GraphInput("input_ids", "int64", ("batch", 7), 321)]
    assert read_inputs(data) == wanted
    assert read_inputs(written(tmp_path, data)) == wanted


def test_initializers_are_no_inputs_and_types_differ() -> None:
    inputs = [
        helper.make_tensor_value_info("mask", TensorProto.FLOAT16, ["b", None]),
        helper.make_tensor_value_info("weight", TensorProto.FLOAT, [2]),
        helper.make_tensor_value_info("scalar", TensorProto.BOOL, []),
    ]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["mask"], ["out"])],
        "g",
        inputs,
        [helper.make_tensor_value_info("out", TensorProto.FLOAT16, ["b", None])],
        [numpy_helper.from_array(np.ones(2, np.float32), "weight")],
    )
    found = read_inputs(helper.make_model(graph).SerializeToString())
    assert found == [GraphInput("mask", "float16", ("b", "")), GraphInput("scalar", "bool", ())]


def test_weights_are_counted_without_tables(tmp_path: Path) -> None:
    """Each in its own type, wherever the bytes lie."""
    data = chain(width=16, depth=3)
    assert weight_bytes(data) == weight_bytes(written(tmp_path, data)) == 3 * 16 * 16 * 4
    model = load_model_from_string(data)
    for tensor, dtype in zip(model.graph.initializer[1:], (np.int8, np.float16, np.float32), strict=True):
        tensor.CopyFrom(numpy_helper.from_array(np.ones((16, 16), dtype), tensor.name))
    model.graph.initializer[3].ClearField("raw_data")
    assert weight_bytes(model.SerializeToString()) == 16 * 16 * (1 + 2 + 4)


@pytest.mark.parametrize("data", [b"", b"hello", b"\x3a\xff\xff\xff\xff\x0f", b"\x80" * 20])
def test_what_is_not_onnx_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"ONNX|onnx"):
        read_inputs(data)
    with pytest.raises(TargetError, match=r"ONNX|onnx"):
        read_inputs(written(tmp_path, data))


def test_every_cut_is_refused_or_read() -> None:
    data = chain(4, 1, 3)
    whole = read_inputs(data)
    for size in range(len(data)):
        try:
            assert read_inputs(data[:size]) == whole
        except TargetError:
            continue


def test_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="gone.onnx"):
        read_inputs(tmp_path / "gone.onnx")


def test_feeds_have_real_tokens() -> None:
    inputs = [
        GraphInput("input_ids", "int64", ("b", "s"), 1000),
        GraphInput("attention_mask", "int64", ("b", "s")),
        GraphInput("token_type_ids", "int32", ("b", "s")),
        GraphInput("position_ids", "int64", ("b", "s")),
        GraphInput("pixels", "float32", ("b", "s", 3)),
    ]
    arrays = make_inputs(plan_feeds(inputs, {"batch": 2, "length": 5}))
    ids = arrays["input_ids"]
    assert ids.shape == (2, 5) and ids.dtype == np.int64
    assert ids.min() > 0 and ids.max() < 1000 and len(np.unique(ids)) > 5
    assert (arrays["attention_mask"] == 1).all()
    assert arrays["token_type_ids"].dtype == np.int32 and not arrays["token_type_ids"].any()
    assert arrays["position_ids"].tolist() == [[0, 1, 2, 3, 4]] * 2
    assert arrays["pixels"].shape == (2, 5, 3)
    again = make_inputs(plan_feeds(inputs, {"batch": 2, "length": 5}))
    assert (again["input_ids"] == ids).all()
    assert open_dimensions(inputs, {"batch": 2, "length": 5}) == {"b": 2, "s": 5}


def test_small_table_bounds_ids() -> None:
    ids = make_inputs([Feed("input_ids", "int64", (4, 50), 3)])["input_ids"]
    assert ids.max() <= 2 and ids.min() >= 0


def test_sizes_that_differ_are_refused() -> None:
    sizes = {"batch": 1, "length": 128}
    with pytest.raises(TargetError, match="batch 1 and length 128"):
        plan_feeds([GraphInput("input_ids", "int64", (1, 64))], sizes)
    with pytest.raises(TargetError, match="dimension 1 has no size. Set choices in the profile"):
        plan_feeds([GraphInput("x", "int64", ("b", "c", "s"))], sizes)
    with pytest.raises(TargetError, match="dimension 3 has no size. Only batch, choices and length"):
        plan_feeds([GraphInput("x", "float32", ("b", "s", 3, "w"))], sizes)
    with pytest.raises(TargetError, match="choices 4"):
        plan_feeds([GraphInput("x", "int64", ("b", 2, "s"))], {**sizes, "choices": 4})


def test_choices_are_an_axis_or_in_the_batch() -> None:
    sizes = {"batch": 2, "choices": 4, "length": 5}
    own = [GraphInput("input_ids", "int64", ("b", "c", "s"))]
    assert [feed.shape for feed in plan_feeds(own, sizes)] == [(2, 4, 5)]
    assert open_dimensions(own, sizes) == {"b": 2, "c": 4, "s": 5}
    without = [GraphInput("input_ids", "int64", ("b", "s")), GraphInput("tokens", "float32", ("b", "s", 3))]
    assert [feed.shape for feed in plan_feeds(without, sizes)] == [(8, 5), (8, 5, 3)]
    assert open_dimensions(without, sizes) == {"b": 8, "s": 5}


def test_graph_is_onnx() -> None:
    assert len(load_model_from_string(chain()).graph.node) == 3
