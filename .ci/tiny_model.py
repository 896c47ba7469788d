"""Write the smallest ONNX text classifier there is: `python tiny_model.py FILE.onnx`."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
weights = {
    "table": rng.standard_normal((1000, 64), dtype=np.float32),
    "head": rng.standard_normal((64, 2), dtype=np.float32),
}
ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
mask = helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "length"])
logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])
nodes = [
    helper.make_node("Gather", ["table", "input_ids"], ["tokens"]),
    helper.make_node("Cast", ["attention_mask"], ["floats"], to=TensorProto.FLOAT),
    helper.make_node("Unsqueeze", ["floats", "last"], ["column"]),
    helper.make_node("Mul", ["tokens", "column"], ["kept"]),
    helper.make_node("ReduceMean", ["kept"], ["text"], axes=[1], keepdims=0),
    helper.make_node("MatMul", ["text", "head"], ["logits"]),
]
constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
constants.append(numpy_helper.from_array(np.array([-1]), "last"))
graph = helper.make_graph(nodes, "tiny", [ids, mask], [logits], constants)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, sys.argv[1])
