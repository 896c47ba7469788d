"""Engines in the tools that load them, each in an environment of its own, against this program's answers.

    python -m benchmarks.tasks.consumers --engine FOLDER --rows FILE --work FOLDER

`--rows`: JSON lines of what `engine.predict` takes, each as {"text": ...}; those that are truncated are left
out, since Transformers.js truncates otherwise. Environments are made below --work on the first call. Ends
with status 1 where any tool answers otherwise.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.engine.environments import TORCH, node_of, python_of, versions_of
from benchmarks.engine.loaders.__main__ import node_versions
from benchmarks.results import write_results
from compresskit import load_engine

HERE = Path(__file__).parent
TOLERANCE = 1e-4
TOP = 10
_OPTIMUM = (TORCH, "optimum-onnx[onnxruntime]==0.1.0")
PACKAGES = {
    "sentences": (*_OPTIMUM, "sentence-transformers==5.7.0"),
    "optimum": _OPTIMUM,
    "fastembed": ("fastembed==0.9.1",),
}
NODE = "node"


class Consumer(NamedTuple):
    """A tool, the environment it runs in, and the script that answers by it, one line a row."""

    title: str
    environment: str
    script: str


CONSUMERS = {
    "embedding": (
        Consumer("sentence-transformers, backend onnx", "sentences", "vectors_sentence_transformers.py"),
        Consumer("fastembed, TextEmbedding", "fastembed", "vectors_fastembed.py"),
        Consumer("optimum-onnx, ORTModelForFeatureExtraction", "optimum", "vectors_optimum.py"),
        Consumer("Transformers.js, feature-extraction", NODE, "vectors_transformers_js.mjs"),
    ),
}
"""By task of compresskit."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--results", type=Path, default=HERE)
    options = parser.parse_args()
    engine = load_engine(options.engine)
    given = [json.loads(line)["text"] for line in options.rows.read_text().splitlines()]
    longest = engine.manifest.max_length or 0
    encoded = zip(given, engine.encode(given), strict=True)
    inputs = [text for text, row in encoded if engine.inputs.length(row) < longest]
    rows_file = options.work.resolve() / "rows.jsonl"
    rows_file.parent.mkdir(parents=True, exist_ok=True)
    rows_file.write_text("".join(json.dumps({"text": text}) + "\n" for text in inputs))
    wanted = np.asarray(engine.predict(inputs), dtype=np.float64)
    task = engine.kind.name
    rows = [["consumer", "rows", "largest difference", f"same top {TOP}", "versions"]]
    found: dict[str, Any] = {}
    for consumer in CONSUMERS[task]:
        said, versions = _answers(consumer, options.engine.resolve(), rows_file)
        difference = float(np.abs(said - wanted).max())
        same = np.array_equal(_top(said), _top(wanted))
        found[consumer.title] = {"difference": difference, "same_top": same, "versions": versions}
        named = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        rows.append([consumer.title, str(len(said)), f"{difference:.1e}", "yes" if same else "NO", named])
    right = all(each["difference"] <= TOLERANCE and each["same_top"] for each in found.values())
    notes = (
        f"An engine of task {task}, `{engine.manifest.signature}`, {engine.manifest.precision}, against "
        f"`load_engine(...).predict`. {'All agree.' if right else 'NOT ALL AGREE.'}"
    )
    write_results(options.results, task, {"consumers": found, "rows": len(inputs)}, rows, notes)
    sys.exit(0 if right else 1)


def _answers(consumer: Consumer, engine: Path, rows: Path) -> tuple[npt.NDArray[Any], dict[str, str]]:
    work, script = rows.parent, HERE / consumer.script
    output = work / f"{engine.name}-{consumer.environment}.jsonl"
    if consumer.environment == NODE:
        node = node_of(work)
        command, versions = ["node", str(shutil.copy(script, node))], node_versions(node)
    else:
        python = python_of(consumer.environment, work, PACKAGES[consumer.environment])
        command, versions = [str(python), str(script)], versions_of(python)
    _run([*command, str(engine), str(rows), str(output)])
    return np.array([json.loads(line) for line in output.read_text().splitlines()]), versions


def _top(said: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """(rows, TOP) the texts nearest to each by cosine, itself among them."""
    unit = said / np.linalg.norm(said, axis=1, keepdims=True)
    return np.argsort(-(unit @ unit.T), axis=1, kind="stable")[:, :TOP]


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main()
