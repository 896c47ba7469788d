"""Entities by optimum-onnx and a pipeline: python entities_optimum.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from optimum.onnxruntime import ORTModelForTokenClassification
from transformers import AutoTokenizer, pipeline

engine, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line)["text"] for line in rows.read_text().splitlines()]
tag = pipeline(
    "token-classification",
    model=ORTModelForTokenClassification.from_pretrained(engine),
    tokenizer=AutoTokenizer.from_pretrained(engine),
    aggregation_strategy="first",
)
with output.open("w") as lines:
    for text in texts:
        found = [[one["entity_group"], int(one["start"]), int(one["end"])] for one in tag(text)]
        lines.write(json.dumps(found) + "\n")
