from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from compresskit.bundle.session import make_session
from compresskit.errors import EngineError
from compresskit.target.base import SessionSettings


def make_graph() -> bytes:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "g", [value], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def test_settings_reach_the_session() -> None:
    settings = SessionSettings({"session.intra_op.allow_spinning": "0"}, optimization_level="basic")
    session = make_session(make_graph(), settings, threads=1)
    options = session.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.graph_optimization_level.name == "ORT_ENABLE_BASIC"
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert session.run(None, {"x": np.ones(2, dtype=np.float32)})[0].tolist() == [2, 2]


def test_unknown_and_missing_providers_are_said() -> None:
    with pytest.raises(EngineError, match=r"'metal'.*cpu, cuda, tensorrt"):
        make_session(make_graph(), provider="metal")
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(EngineError, match=r"has no CUDAExecutionProvider; it has .*CPU"):
            make_session(make_graph(), provider="cuda")


def test_a_graph_that_does_not_load_is_said() -> None:
    model = onnx.load_from_string(make_graph())
    model.graph.node[0].op_type = "Nonsense"
    with pytest.raises(EngineError, match=r"onnxruntime .* does not load the graph.*Nonsense"):
        make_session(model.SerializeToString())
