"""Vectors by sentence-transformers: python vectors_sentence_transformers.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sentence_transformers import SentenceTransformer

engine, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line) for line in rows.read_text().splitlines()]
model = SentenceTransformer(
    str(engine), backend="onnx", model_kwargs={"provider": "CPUExecutionProvider"}, local_files_only=True
)
vectors = model.encode(texts, batch_size=8)
output.write_text("".join(json.dumps(vector.tolist()) + "\n" for vector in vectors))
