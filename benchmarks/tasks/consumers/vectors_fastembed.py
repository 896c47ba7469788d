"""Vectors by fastembed: python vectors_fastembed.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType

engine, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line) for line in rows.read_text().splitlines()]
pooling = json.loads((engine / "1_Pooling" / "config.json").read_text())
kinds = [module["type"].rpartition(".")[2] for module in json.loads((engine / "modules.json").read_text())]
TextEmbedding.add_custom_model(
    model="engine",
    pooling=PoolingType.CLS if pooling["pooling_mode_cls_token"] else PoolingType.MEAN,
    normalization="Normalize" in kinds,
    sources=ModelSource(hf="engine/engine"),
    dim=pooling["word_embedding_dimension"],
    model_file="onnx/model.onnx",
)
model = TextEmbedding("engine", specific_model_path=str(engine), local_files_only=True)
vectors = model.embed(texts, batch_size=8)
output.write_text("".join(json.dumps(vector.tolist()) + "\n" for vector in vectors))
