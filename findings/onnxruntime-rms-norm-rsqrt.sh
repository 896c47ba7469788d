#!/bin/bash
# ONNX Runtime 1.31.1 does not fuse the RMS norm that torch.onnx.export writes by default for Llama, Qwen and their like.
#
# A good guess: the root mean square norm of every decoder of today, `x * torch.rsqrt(x.pow(2).mean(-1) + eps) * weight`,
# becomes one kernel, SimplifiedLayerNormalization, when ONNX Runtime optimises the graph that torch 2.13 exports at its
# default opset. ONNX Runtime has that fusion and applies it to such norms in other exports.
# What happens: torch writes rsqrt as Reciprocal of Sqrt, then a product. The fusion looks for a division by Sqrt, so at
# opsets 18 to 22 all of the norm's operators stay, at every optimisation level: two to five times slower than one kernel
# (128 x 384, one thread). `x / torch.sqrt(...)`, which is the same to rounding, is fused; `x * x` in place of
# `x.pow(2)` is not, even with a division. At opset 23 the exporter writes one RMSNormalization.
#
# Source: core/optimizer/layer_norm_fusion.cc of ONNX Runtime (SimplifiedLayerNormFusion), torch's decomposition of
# rsqrt for ONNX; found by counting the operators of exported Llama models before and behind optimisation.
# Exits with an error when that changes. Needs Python 3.10 to 3.13 as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 transformers==5.23.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1

cat > "$work/check.py" <<'PY'
import contextlib
import io
import logging
import sys
import time
import warnings
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import torch
import transformers
from transformers.models.llama.modeling_llama import LlamaRMSNorm

warnings.simplefilter("ignore")
logging.getLogger("torch.onnx").setLevel(logging.ERROR)
torch.manual_seed(0)
SIZE, EPSILON = 384, 1e-6


class Divided(torch.nn.Module):
    def __init__(self, by_product):
        super().__init__()
        self.by_product = by_product
        self.weight = torch.nn.Parameter(torch.randn(SIZE))

    def forward(self, x):
        square = x * x if self.by_product else x.pow(2)
        return x / torch.sqrt(square.mean(-1, keepdim=True) + EPSILON) * self.weight


def llama():
    norm = LlamaRMSNorm(SIZE, eps=EPSILON)
    torch.nn.init.normal_(norm.weight)
    return norm


def exported(norm, opset):
    options = {} if opset is None else {"opset_version": opset}
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(
            norm, (torch.randn(2, 5, SIZE),), dynamo=True, input_names=["x"], output_names=["y"],
            dynamic_shapes=({0: "batch", 1: "length"},), **options,
        )
    return program.model_proto


def optimised(proto):
    """The operators that ONNX Runtime runs, and a session."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.optimized_model_filepath = "optimised.onnx"
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load("optimised.onnx").graph.node), session


versions = {module.__name__: module.__version__ for module in (torch, transformers, onnx, onnxruntime)}
print(", ".join(f"{name} {version}" for name, version in versions.items()))
x = torch.randn(1, 128, SIZE)
found, sessions = {}, {}
for name, norm, opset in (
    ("transformers' norm, default opset", llama(), None),
    ("transformers' norm, opset 18", llama(), 18),
    ("transformers' norm, opset 22", llama(), 22),
    ("transformers' norm, opset 23", llama(), 23),
    ("x / sqrt, pow(2), default opset", Divided(False), None),
    ("x / sqrt, x * x, default opset", Divided(True), None),
):
    proto = exported(norm, opset)
    counts, session = optimised(proto)
    difference = float(np.abs(session.run(None, {"x": x.numpy()})[0] - norm(x).detach().numpy()).max())
    found[name], sessions[name] = counts, session
    version = next(item.version for item in proto.opset_import if item.domain == "")
    print(f"{name} ({version}): runs {dict(counts)}, differs from torch by {difference:.1e}")
    assert difference < 1e-5
times = {name: [] for name in sessions}
for _ in range(30):
    for name, session in sessions.items():
        start = time.perf_counter()
        for _ in range(30):
            session.run(None, {"x": x.numpy()})
        times[name].append((time.perf_counter() - start) / 30)
for name, values in times.items():
    print(f"{name}: {1e6 * np.median(values):.0f} us for 128 x {SIZE}, one thread")

FUSED = "SimplifiedLayerNormalization"
plain = [counts for name, counts in found.items() if name.startswith("transformers") and "23" not in name]
as_described = (
    all(counts[FUSED] == 0 and counts["Reciprocal"] == 1 for counts in plain)
    and found["transformers' norm, opset 23"] == Counter(RMSNormalization=1)
    and found["x / sqrt, pow(2), default opset"] == Counter({FUSED: 1})
    and found["x / sqrt, x * x, default opset"][FUSED] == 0
)
sys.exit(0 if as_described else 1)
PY
cd "$work"
"$work/venv/bin/python" check.py
