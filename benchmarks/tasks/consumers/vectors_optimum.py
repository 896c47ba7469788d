"""Vectors by optimum-onnx, pooled as its documentation shows: python vectors_optimum.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from optimum.onnxruntime import ORTModelForFeatureExtraction
from transformers import AutoTokenizer

engine, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line) for line in rows.read_text().splitlines()]
model = ORTModelForFeatureExtraction.from_pretrained(engine)
tokenizer = AutoTokenizer.from_pretrained(engine)
with output.open("w") as lines:
    for text in texts:
        encoded = tokenizer(text, truncation=True, return_tensors="pt")
        tokens = model(**encoded).last_hidden_state
        (vector,) = torch.nn.functional.normalize(tokens.mean(1), dim=-1)
        lines.write(json.dumps(vector.tolist()) + "\n")
