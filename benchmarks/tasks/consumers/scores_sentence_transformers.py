"""Scores of pairs by sentence-transformers: python scores_sentence_transformers.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder

engine, rows, output = map(Path, sys.argv[1:])
pairs = [tuple(json.loads(line)) for line in rows.read_text().splitlines()]
model = CrossEncoder(
    str(engine), backend="onnx", model_kwargs={"provider": "CPUExecutionProvider"}, local_files_only=True
)
scores = model.predict(pairs, activation_fn=torch.nn.Identity(), batch_size=8)
output.write_text("".join(json.dumps(float(score)) + "\n" for score in scores))
