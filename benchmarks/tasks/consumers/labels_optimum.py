"""Probabilities of labels by optimum-onnx and a pipeline: python labels_optimum.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from optimum.onnxruntime import ORTModelForSequenceClassification
from transformers import AutoTokenizer, pipeline

engine, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line) for line in rows.read_text().splitlines()]
model = ORTModelForSequenceClassification.from_pretrained(engine)
classify = pipeline("text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(engine))
with output.open("w") as lines:
    for text in texts:
        (found,) = classify([text], top_k=None)
        lines.write(json.dumps({each["label"]: each["score"] for each in found}) + "\n")
