#!/bin/bash
# ONNX Runtime 1.31.1, CPU: the operator Attention of opset 23 and 24 refuses the ordinary padding mask of an encoder.
#
# A good guess: scaled_dot_product_attention with a mask of (batch, 1, 1, length), which broadcasts over heads and over
# queries, is exported by torch at any opset to a graph that ONNX Runtime runs. The operator's description permits it:
# the mask has to be "broadcastable to 4D tensor with shape (batch_size, q_num_heads, q_sequence_length,
# total_sequence_length)".
# What happens: up to opset 22 the export is made of MatMul and Softmax and is right. From opset 23 on it is one Attention
# with the mask as it is. The model is valid for onnx, whose reference evaluator gives torch's answer, a session is made
# without a complaint, and the first run fails ("inconsistent q_sequence_length (between attn_mask and Q)"). ONNX Runtime
# broadcasts such a mask over batch and heads, not over queries; nor does it take masks of (length,) or (1, length). At a
# length of one it runs, so a smoke test with one token passes.
# A mask that is expanded to (batch, 1, length, length) before the call is right at every opset.
#
# Source: the checks of core/providers/cpu/llm/attention.cc of ONNX Runtime, named in its message; found by comparing the
# operators of opset 23 with onnx's reference evaluator.
# Exits with an error when that changes. Needs Python 3.10 to 3.13 as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1

cat > "$work/check.py" <<'PY'
import contextlib
import io
import logging
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx.reference import ReferenceEvaluator

warnings.simplefilter("ignore")
logging.getLogger("torch.onnx").setLevel(logging.ERROR)
torch.manual_seed(0)


class Attend(torch.nn.Module):
    def __init__(self, expands):
        super().__init__()
        self.expands = expands

    def forward(self, stream, mask):
        shared = mask[:, None, None, :]
        if self.expands:
            shared = shared.expand(-1, 1, stream.shape[2], -1)
        return torch.nn.functional.scaled_dot_product_attention(stream, stream, stream, attn_mask=shared)


def inputs(length):
    mask = torch.ones(2, length, dtype=torch.bool)
    mask[1, (length + 1) // 2 :] = False
    return torch.randn(2, 4, length, 8), mask


def exported(opset, expands):
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(
            Attend(expands), inputs(6), dynamo=True, opset_version=opset, input_names=["stream", "mask"],
            dynamic_shapes=({2: "length"}, {1: "length"}),
        )
    return program.model_proto


def difference(run, model, given):
    """Largest difference to torch, or the end of the first line of the error."""
    try:
        found = run(dict(zip(("stream", "mask"), (each.numpy() for each in given))))[0]
    except Exception as error:
        return str(error).splitlines()[0][-80:]
    return float(np.abs(found - Attend(model)(*given).numpy()).max())


print(f"torch {torch.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
results = {}
for opset, expands in ((22, False), (23, False), (24, False), (23, True)):
    graph = exported(opset, expands)
    onnx.checker.check_model(graph)
    fused = any(node.op_type == "Attention" for node in graph.graph.node)
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    evaluator = ReferenceEvaluator(graph)
    for length in (6, 1):
        given = inputs(length)
        own = difference(lambda feed: session.run(None, feed), expands, given)
        reference = difference(lambda feed: evaluator.run(None, feed), expands, given)
        results[opset, expands, length] = fused, own, reference
        mask = "expanded" if expands else "(batch, 1, 1, length)"
        print(f"opset {opset}, mask {mask}, length {length}: one Attention: {fused}")
        print(f"    difference to torch: ONNX Runtime {own}, reference evaluator {reference}")


def is_right(value):
    return isinstance(value, float) and value < 1e-5


refused = [results[opset, False, 6] for opset in (23, 24)]
as_described = (
    all(fused and "q_sequence_length" in str(own) and is_right(reference) for fused, own, reference in refused)
    and is_right(results[22, False, 6][1])
    and all(is_right(results[opset, False, 1][1]) for opset in (22, 23, 24))
    and is_right(results[23, True, 6][1])
)
sys.exit(0 if as_described else 1)
PY
cd "$work"
"$work/venv/bin/python" check.py
