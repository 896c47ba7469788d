"""What each engine in a folder answers in this ONNX Runtime, as JSON: python probe.py FOLDER.

`loader` is what a user gets from `load_engine`, `bare` what the graph gives where nobody looks at versions.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import onnxruntime

from compresskit.bundle import Engine, load_engine, read_manifest
from compresskit.errors import EngineError


def answers(open_engine: Callable[[Path], Engine], folder: Path, texts: list[str]) -> dict[str, Any]:
    """Logits of each text alone and of all at once, or the reason why there are none."""
    try:
        engine = open_engine(folder)
    except EngineError as error:
        return {"refused": str(error)}
    try:
        return {
            "one": [engine.predict([text])[0].tolist() for text in texts],
            "four": engine.predict(texts).tolist(),
        }
    except Exception as error:  # whatever ONNX Runtime raises from a run
        return {"failed": str(error).strip().splitlines()[-1][-200:]}


def load(folder: Path) -> Engine:
    return load_engine(folder, threads=1)


def load_bare(folder: Path) -> Engine:
    """As `load_engine`, of an engine that needs no version."""
    read = replace(read_manifest(folder), runtime={"onnxruntime": "0.0"})
    with patch("compresskit.bundle.loader.verify", lambda _: read):
        return load(folder)


def main() -> None:
    found: dict[str, Any] = {}
    for path in sorted(Path(sys.argv[1]).glob("*.expected.json")):
        name = path.name.removesuffix(".expected.json")
        texts = json.loads(path.read_text())["texts"]
        folder = path.parent / name
        found[name] = {
            "loader": answers(load, folder, texts),
            "bare": answers(load_bare, folder, texts),
        }
    print(json.dumps({"onnxruntime": onnxruntime.__version__, "engines": found}))


if __name__ == "__main__":
    main()
