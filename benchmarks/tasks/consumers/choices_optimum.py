"""Probabilities of choices by optimum-onnx: python choices_optimum.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from optimum.onnxruntime import ORTModelForMultipleChoice
from transformers import AutoTokenizer

engine, rows, output = map(Path, sys.argv[1:])
model = ORTModelForMultipleChoice.from_pretrained(engine)
tokenizer = AutoTokenizer.from_pretrained(engine)
with output.open("w") as lines:
    for line in rows.read_text().splitlines():
        question, choices = json.loads(line)
        encoded = tokenizer([question] * len(choices), choices, padding=True, return_tensors="pt")
        logits = model(**{name: value.unsqueeze(0) for name, value in encoded.items()}).logits
        lines.write(json.dumps(logits.softmax(-1)[0].tolist()) + "\n")
