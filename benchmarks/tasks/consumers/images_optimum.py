"""Probabilities of classes by optimum-onnx and a pipeline: python images_optimum.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from optimum.onnxruntime import ORTModelForImageClassification
from transformers import AutoImageProcessor, pipeline

engine, rows, output = map(Path, sys.argv[1:])
files = [json.loads(line) for line in rows.read_text().splitlines()]
model = ORTModelForImageClassification.from_pretrained(engine)
processor = AutoImageProcessor.from_pretrained(engine, use_fast=False)
classify = pipeline("image-classification", model=model, image_processor=processor)
with output.open("w") as lines:
    for file in files:
        found = classify(file, top_k=1000)
        lines.write(json.dumps({each["label"]: each["score"] for each in found}) + "\n")
