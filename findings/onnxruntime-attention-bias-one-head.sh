#!/bin/bash
# com.microsoft MultiHeadAttention and Attention of ONNX Runtime 1.20.0 to 1.21.0, CPU: one mask for all heads.
#
# A good guess: an attention_bias of shape (batch, 1, length, length), which is how a padding mask is added to
# the scores of every head, gives what the same bias repeated for every head gives. The operators' description
# in 1.20 permits it: "(batch_size or 1, num_heads or 1, sequence_length, total_sequence_length)".
# What happens: the first row is right and each further one is wrong, without an error. So a test of one text
# passes, and a served batch is wrong. The shapes (1, 1, ...), (1, heads, ...) and (batch, heads, ...) are right.
# ONNX Runtime 1.21.1 is right for all of them. Up to 1.19.2 the shape was refused with an error.
#
# Source: core/graph/contrib_ops/bert_defs.cc of ONNX Runtime; found by running exported text encoders in old releases.
# Needs Python 3.10 to 3.12 as python3 (or PYTHON=...), and PyPI.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/check.py" <<'PY'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

ROWS, LENGTH, HEADS, SIZE = 3, 6, 4, 8
WIDTH = HEADS * SIZE
random = np.random.default_rng(0)
texts = random.standard_normal((ROWS, LENGTH, WIDTH)).astype(np.float32)
kept = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0]])
mask = np.broadcast_to(-10000.0 * (1 - kept)[:, None, None, :], (ROWS, 1, LENGTH, LENGTH)).astype(np.float32)


def by_numpy(rows: np.ndarray) -> np.ndarray:
    heads = rows.reshape(-1, LENGTH, HEADS, SIZE).transpose(0, 2, 1, 3)
    scores = heads @ heads.transpose(0, 1, 3, 2) / np.sqrt(SIZE) + mask[: len(rows)]
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return (weights @ heads).transpose(0, 2, 1, 3).reshape(-1, LENGTH, WIDTH)


def by_onnxruntime(kind: str, rows: np.ndarray, bias: np.ndarray) -> np.ndarray:
    inputs = {"x": rows, "bias": bias}
    names = ["x", "x", "x", "", "", "bias"]
    if kind == "Attention":  # which projects by itself: here by the identity, three times
        inputs |= {"w": np.tile(np.eye(WIDTH), 3).astype(np.float32), "b": np.zeros(3 * WIDTH, np.float32)}
        names = ["x", "w", "b", "", "", "bias"]
    node = helper.make_node(kind, names, ["y"], domain="com.microsoft", num_heads=HEADS)
    graph = helper.make_graph(
        [node],
        "attention",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(v.shape)) for name, v in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(rows.shape))],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


expected = sys.argv[1]
seen = []
print("onnxruntime", onnxruntime.__version__)
for kind in ("MultiHeadAttention", "Attention"):
    for name, bias in (
        ("(batch, 1, length, length)", mask),
        ("(batch, heads, length, length)", np.repeat(mask, HEADS, axis=1)),
    ):
        right = [
            bool(np.abs(found - wanted).max() < 1e-4)
            for found, wanted in zip(by_onnxruntime(kind, texts, bias), by_numpy(texts))
        ]
        alone = bool(np.abs(by_onnxruntime(kind, texts[:1], bias[:1]) - by_numpy(texts[:1])).max() < 1e-4)
        print(f"{kind}, bias {name}: one row alone right: {alone}; rows of a batch right: {right}")
        seen.append((alone, right))
one_head_wrong = (True, [True, False, False])
right = (True, [True] * ROWS)
sys.exit(seen != [one_head_wrong if expected == "wrong" else right, right] * 2)
PY

changed=0
for pair in "1.20.1 wrong" "1.21.0 wrong" "1.21.1 right"; do
    set -- $pair
    "${PYTHON:-python3}" -m venv "$work/$1"
    "$work/$1/bin/pip" install --quiet "onnxruntime==$1" "onnx==1.17.0" "numpy==2.2.6"
    if "$work/$1/bin/python" "$work/check.py" "$2"; then
        echo "-> as described: $2 with one mask for all heads"
    else
        echo "-> CHANGED: expected to be $2 with one mask for all heads"
        changed=1
    fi
done
exit $changed
