"""Labels and logits by optimum-onnx: python optimum_pipeline.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from optimum.onnxruntime import ORTModelForSequenceClassification
from transformers import AutoTokenizer, pipeline

engine, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line)["text"] for line in rows.read_text().splitlines()]
model = ORTModelForSequenceClassification.from_pretrained(engine)
tokenizer = AutoTokenizer.from_pretrained(engine)
classify = pipeline("text-classification", model=model, tokenizer=tokenizer)
with output.open("w") as lines:
    for text in texts:
        (best,) = classify(text, truncation=True)
        logits = model(**tokenizer(text, truncation=True, return_tensors="pt")).logits
        lines.write(json.dumps({"label": best["label"], "logits": logits[0].tolist()}) + "\n")
