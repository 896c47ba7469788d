"""Labels and logits by compresskit.load_engine: python compresskit_engine.py ENGINE ROWS OUTPUT"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

from compresskit import load_engine

engine, rows, output = map(Path, sys.argv[1:])
texts = [json.loads(line)["text"] for line in rows.read_text().splitlines()]
loaded = load_engine(engine)
with output.open("w") as lines:
    for logits in loaded.predict(texts):
        line = {"label": loaded.labels[logits.argmax()], "logits": logits.tolist()}
        lines.write(json.dumps(line) + "\n")
assert importlib.util.find_spec("torch") is None, "this environment is to have the base install only"
