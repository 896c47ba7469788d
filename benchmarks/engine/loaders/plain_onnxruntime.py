"""Labels and logits by onnxruntime and tokenizers alone: python plain_onnxruntime.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

engine, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line)["text"] for line in rows.read_text().splitlines()]
config = json.loads((engine / "config.json").read_text())
tokenizer = Tokenizer.from_file(str(engine / "tokenizer.json"))
session = onnxruntime.InferenceSession(engine / "onnx" / "model.onnx")
names = [item.name for item in session.get_inputs()]
with output.open("w") as lines:
    for text in texts:
        encoded = tokenizer.encode(text)
        values = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        (logits,) = session.run(["logits"], {name: np.array([values[name]]) for name in names})
        label = config["id2label"][str(logits[0].argmax())]
        lines.write(json.dumps({"label": label, "logits": logits[0].tolist()}) + "\n")
