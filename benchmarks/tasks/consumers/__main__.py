"""Engines in the tools that load them, each in an environment of its own, against this program's answers.

    python -m benchmarks.tasks.consumers --engine FOLDER --rows FILE --work FOLDER

`--rows`: JSON lines of what `engine.predict` takes, a text as {"text": ...}; those that are truncated, or
read in several windows, are left out, since other tools treat them otherwise. Environments are made below
--work on the first call. Ends with status 1 where any tool answers otherwise.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.engine.environments import TORCH, node_of, python_of, versions_of
from benchmarks.engine.loaders.__main__ import node_versions
from benchmarks.results import write_results
from benchmarks.tasks.consumers.alike import ALIKE
from compresskit import load_engine
from compresskit.bundle import Engine
from compresskit.inputs import origins

HERE = Path(__file__).parent
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
    "qa": (
        Consumer("optimum-onnx, pipeline question-answering", "optimum", "spans_optimum.py"),
        Consumer("Transformers.js, question-answering", NODE, "spans_transformers_js.mjs"),
    ),
    "rerank": (
        Consumer("sentence-transformers, CrossEncoder", "sentences", "scores_sentence_transformers.py"),
        Consumer("fastembed, TextCrossEncoder", "fastembed", "scores_fastembed.py"),
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
    given = [json.loads(line) for line in options.rows.read_text().splitlines()]
    given = _read_whole(engine, given)
    rows_file = options.work.resolve() / "rows.jsonl"
    rows_file.parent.mkdir(parents=True, exist_ok=True)
    rows_file.write_text("".join(json.dumps(each) + "\n" for each in given))
    wanted = list(engine.predict([_input(each) for each in given]))
    task = engine.kind.name
    rows: list[list[str]] = []
    found: dict[str, Any] = {}
    for consumer in CONSUMERS[task]:
        said, versions = _answers(consumer, options.engine.resolve(), rows_file)
        alike = ALIKE[task](said, wanted)
        found[consumer.title] = {**alike.figures, "right": alike.right, "versions": versions}
        named = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        if not rows:
            rows.append(["consumer", "rows", *alike.figures, "versions"])
        rows.append([consumer.title, str(len(said)), *alike.figures.values(), named])
    right = all(each["right"] for each in found.values())
    notes = (
        f"An engine of task {task}, `{engine.manifest.signature}`, {engine.manifest.precision}, against "
        f"`load_engine(...).predict`. {'All agree.' if right else 'NOT ALL AGREE.'}"
    )
    write_results(options.results, task, {"consumers": found, "rows": len(given)}, rows, notes)
    sys.exit(0 if right else 1)


def _input(value: Mapping[str, Any]) -> Any:
    return value.get("text", value)


def _read_whole(engine: Engine, given: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of one row that is not full."""
    rows = engine.encode([_input(each) for each in given])
    of, lengths = origins(rows), engine.inputs.lengths(rows)
    longest = engine.manifest.max_length or lengths.max() + 1
    return [each for i, each in enumerate(given) if (of == i).sum() == 1 and lengths[of == i][0] < longest]


def _answers(consumer: Consumer, engine: Path, rows: Path) -> tuple[list[Any], dict[str, str]]:
    work, script = rows.parent, HERE / consumer.script
    output = work / f"{engine.name}-{consumer.environment}.jsonl"
    if consumer.environment == NODE:
        node = node_of(work)
        command, versions = ["node", str(shutil.copy(script, node))], node_versions(node)
    else:
        python = python_of(consumer.environment, work, PACKAGES[consumer.environment])
        command, versions = [str(python), str(script)], versions_of(python)
    _run([*command, str(engine), str(rows), str(output)])
    return [json.loads(line) for line in output.read_text().splitlines()], versions


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main()
