"""Labels and logits by compresskit.load_pruned: python pytorch.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from compresskit import load_pruned

engine, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line)["text"] for line in rows.read_text().splitlines()]
model: Any = load_pruned(engine)
tokenizer = AutoTokenizer.from_pretrained(engine)
with output.open("w") as lines, torch.inference_mode():
    for text in texts:
        logits = model(**tokenizer(text, truncation=True, return_tensors="pt")).logits[0]
        label = model.config.id2label[int(logits.argmax())]
        lines.write(json.dumps({"label": label, "logits": logits.tolist()}) + "\n")
