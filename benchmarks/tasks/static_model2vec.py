"""Vectors by model2vec's static distillation: python static_model2vec.py MODEL ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from model2vec.distill import distill

model, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line) for line in rows.read_text().splitlines()]
static = distill(model_name=str(model), pca_dims=256)
vectors = static.encode(texts)
output.write_text("".join(json.dumps(vector.tolist()) + "\n" for vector in vectors))
