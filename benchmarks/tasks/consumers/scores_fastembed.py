"""Scores of pairs by fastembed: python scores_fastembed.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fastembed.common.model_description import ModelSource
from fastembed.rerank.cross_encoder import TextCrossEncoder

engine, rows, output = map(Path, sys.argv[1:])
pairs = [tuple(json.loads(line)) for line in rows.read_text().splitlines()]
TextCrossEncoder.add_custom_model(
    "engine", model_file="onnx/model.onnx", sources=ModelSource(hf="engine/engine")
)
model = TextCrossEncoder("engine", specific_model_path=str(engine), local_files_only=True)
scores = model.rerank_pairs(pairs, batch_size=8)
output.write_text("".join(json.dumps(float(score)) + "\n" for score in scores))
