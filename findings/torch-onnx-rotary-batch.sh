#!/bin/bash
# torch.onnx.export of a ModernBERT at opset 23 gives a graph that runs at a batch of one only, though batch is dynamic.
#
# A good guess: a graph that was exported with `dynamic_shapes` for batch and length, and traced with two rows, runs at
# any batch, as it does at opset 22 and as the same call does for BERT at opset 23.
# What happens: at opset 23 the exporter fuses rotations into the operator RotaryEmbedding. transformers makes positions
# once for all rows, (1, length), and broadcasts them; the fused operator is given cosines and sines of that shape, and
# ONNX Runtime refuses them for any batch but one ("Inputs 'cos_cache' and 'sin_cache' are expected to have the same
# shape as input 'x'").
# With `position_ids` of (batch, length) among the traced inputs, the graph is right at every batch.
#
# Source: onnxscript's rewrite rules for rotary embeddings, which torch runs at opset 23; found by running the graphs.
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
import warnings
from collections import Counter

import numpy as np
import onnxruntime
import onnxscript
import torch
import transformers
from transformers import ModernBertConfig, ModernBertForSequenceClassification

warnings.simplefilter("ignore")
logging.getLogger("torch.onnx").setLevel(logging.ERROR)
torch.manual_seed(0)
special = dict.fromkeys((f"{name}_token_id" for name in ("pad", "bos", "eos", "cls", "sep")), 1)
config = ModernBertConfig(
    vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, num_labels=3,
    **special,
)
model = ModernBertForSequenceClassification(config).eval()


def inputs(names, batch, length):
    found = {"input_ids": torch.randint(5, 60, (batch, length)), "attention_mask": torch.ones(batch, length).long()}
    found["position_ids"] = torch.arange(length).expand(batch, length).contiguous()
    return {name: found[name] for name in names}


def outcome(names, opset):
    """Operators of the graph, and for each batch the difference to torch, or None where it does not run."""
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(
            model, kwargs=inputs(names, 2, 8), dynamo=True, opset_version=opset, input_names=list(names),
            output_names=["logits"], dynamic_shapes={name: {0: "batch", 1: "length"} for name in names},
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    graph = program.model_proto
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = {}
    for batch in (1, 2, 3):
        feed = inputs(names, batch, 8)
        with torch.no_grad():
            wanted = model(**feed).logits.numpy()
        try:
            logits = session.run(["logits"], {name: value.numpy() for name, value in feed.items()})[0]
            found[batch] = float(np.abs(logits - wanted).max())
        except Exception as error:
            found[batch] = None
            print("   ", str(error).splitlines()[0][-160:])
    return Counter(node.op_type for node in graph.graph.node)["RotaryEmbedding"], found


print(f"torch {torch.__version__}, transformers {transformers.__version__}, onnxscript {onnxscript.__version__}, "
      f"onnxruntime {onnxruntime.__version__}")
plain, positions = ("input_ids", "attention_mask"), ("input_ids", "attention_mask", "position_ids")
results = {}
for name, names, opset in (("opset 22", plain, 22), ("opset 23", plain, 23), ("with positions", positions, 23)):
    results[name] = rotary, found = outcome(names, opset)
    print(f"{name}: {rotary} RotaryEmbedding; difference to torch by batch: {found}")


def right(name):
    return all(value is not None and value < 1e-4 for value in results[name][1].values())


rotary, found = results["opset 23"]
wrong = rotary > 0 and found[1] is not None and found[1] < 1e-4 and all(
    found[batch] is None or found[batch] > 1e-3 for batch in (2, 3)
)
sys.exit(0 if wrong and right("opset 22") and right("with positions") else 1)
PY
cd "$work"
"$work/venv/bin/python" check.py
