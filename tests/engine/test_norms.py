"""Norms written out: the same numbers, and what ONNX Runtime fuses again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from compresskit.engine.editing import GraphEditor, set_opset
from compresskit.engine.norms import write_out_norm
from compresskit.engine.quantize import to_fp16
from compresskit.errors import EngineError

SIZE = 16


def make_model(axis: int = -1) -> ModelProto:
    weight = np.random.default_rng(0).normal(size=SIZE).astype(np.float32)
    node = helper.make_node("RMSNormalization", ["x", "weight"], ["y"], axis=axis, epsilon=1e-6)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, SIZE]) for name in "xyz"]
    added = helper.make_node("Add", ["y", "x"], ["z"])
    graph = helper.make_graph(
        [node, added], "norm", ends[:1], ends[2:], [numpy_helper.from_array(weight, "weight")]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=9)


def test_numbers_stay_and_the_runtime_fuses_them(tmp_path: Path) -> None:
    model = make_model()
    weight = numpy_helper.to_array(model.graph.initializer[0])
    editor = GraphEditor(model)
    write_out_norm(editor, editor.of_type("RMSNormalization")[0])
    editor.finish()
    set_opset(model, 20)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    x = np.random.default_rng(1).normal(size=(2, 3, SIZE)).astype(np.float32)
    wanted = x + x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * weight
    np.testing.assert_allclose(session.run(["z"], {"x": x})[0], wanted, rtol=0, atol=1e-5)
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert "SimplifiedLayerNormalization" in kinds or "SkipSimplifiedLayerNormalization" in kinds


def test_other_axes_are_refused() -> None:
    editor = GraphEditor(make_model(axis=1))
    with pytest.raises(EngineError, match="of a kind that is not known"):
        write_out_norm(editor, editor.of_type("RMSNormalization")[0])


def test_in_fp16_squares_are_summed_in_float() -> None:
    model = make_model()
    editor = GraphEditor(model)
    write_out_norm(editor, editor.of_type("RMSNormalization")[0])
    editor.finish()
    set_opset(model, 20)
    model.graph.node.insert(0, helper.make_node("Cast", ["ids"], ["x"], to=TensorProto.FLOAT))
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", 3, SIZE]))
    session = onnxruntime.InferenceSession(
        to_fp16(model).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    weight = numpy_helper.to_array(make_model().graph.initializer[0])
    (found,) = session.run(None, {"ids": np.full((1, 3, SIZE), 1000)})  # squares are beyond fp16
    np.testing.assert_allclose(found - 1000, np.broadcast_to(weight, found.shape), rtol=0, atol=0.5)
