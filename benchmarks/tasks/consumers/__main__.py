"""Engines of all tasks in the tools that load them, against this program's own answers.

    python -m benchmarks.tasks.consumers --model FOLDER --data FOLDER --work FOLDER

Each tool runs in an environment of its own, made below --work on the first call. `--engine`, which may
repeat, takes the place of the small engines that are made of --model for its task, in fp32 and int8;
`--task` asks for some tasks only, beside what --results holds of the others; of images, for which --model has
no engine, only where --engine has one. Rows that are truncated, or
read in several windows, are left out, since other tools treat them otherwise. Ends with status 1 where a tool
answers otherwise than an engine in fp32.
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
from benchmarks.tasks.consumers.alike import ALIKE, Alike
from benchmarks.tasks.consumers.engines import PRECISIONS, asked, images, make
from compresskit import load_engine
from compresskit.bundle import Engine, read_manifest
from compresskit.inputs import origins

HERE = Path(__file__).parent
_OPTIMUM = (TORCH, "optimum-onnx[onnxruntime]==0.1.0")
PACKAGES = {
    "sentences": (*_OPTIMUM, "sentence-transformers==5.7.0"),
    "optimum": _OPTIMUM,
    "fastembed": ("fastembed==0.9.1",),
    "images": (*_OPTIMUM, "pillow"),
}
NODE, IMAGE = "node", "image"


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
    IMAGE: (
        Consumer("optimum-onnx, pipeline image-classification", "images", "images_optimum.py"),
        Consumer("Transformers.js, image-classification", NODE, "images_transformers_js.mjs"),
    ),
    "choice": (Consumer("optimum-onnx, ORTModelForMultipleChoice", "optimum", "choices_optimum.py"),),
    "labels": (
        Consumer("optimum-onnx, pipeline text-classification", "optimum", "labels_optimum.py"),
        Consumer("Transformers.js, text-classification", NODE, "labels_transformers_js.mjs"),
    ),
}
"""By task of compresskit."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--engine", type=Path, action="append", default=[])
    parser.add_argument("--task", action="append", choices=CONSUMERS)
    parser.add_argument("--results", type=Path, default=HERE)
    options = parser.parse_args()
    work: Path = options.work.resolve()
    given: dict[tuple[str, str], Path] = {}
    for folder in options.engine:
        manifest = read_manifest(folder)
        given[manifest.kind.name, manifest.precision] = folder.resolve()
    before = options.results / "consumers.json"
    found: dict[str, Any] = (
        json.loads(before.read_text())["tasks"] if options.task and before.exists() else {}
    )
    for task in options.task or CONSUMERS:
        if task == IMAGE and not any(name == IMAGE for name, _ in given):
            continue
        engines = {
            precision: given[task, precision] for precision in PRECISIONS if (task, precision) in given
        }
        engines = engines or make(task, options.model, options.data, work / "engines" / task)
        rows = images(options.data, work / "images") if task == IMAGE else asked(task, options.data)
        found[task] = _compared(task, engines, rows, work)
    right = all(
        each.get("fp32", {}).get("right", True) for of in found.values() for each in of["consumers"].values()
    )
    notes = (
        "Engines of each task, against the answers of `load_engine(...).predict` by the same engine. "
        f"{'All in fp32 agree.' if right else 'NOT ALL IN FP32 AGREE.'} optimum-onnx 0.1.0, by which the "
        "other Python tools than fastembed read ONNX files, forbids transformers from 4.58 on. "
        "Transformers.js has no multiple choice, and resizes images otherwise than Pillow does: images are "
        "asked in the size that engines read. In int8 the texts of a batch are quantized together, so "
        "answers depend on what a tool puts into one."
    )
    write_results(options.results, "consumers", {"tasks": found}, _table(found), notes)
    sys.exit(0 if right else 1)


def _compared(task: str, engines: Mapping[str, Path], given: Sequence[Any], work: Path) -> dict[str, Any]:
    """Of each consumer what `alike` says of its answers, by precision, or why there are none."""
    consumers: dict[str, Any] = {consumer.title: {} for consumer in CONSUMERS[task]}
    signatures, asked = {}, 0
    for precision, folder in engines.items():
        engine = load_engine(folder)
        whole = _read_whole(engine, given)
        signatures[precision], asked = engine.manifest.signature, len(whole)
        rows = work / f"{task}.jsonl"
        rows.write_text("".join(json.dumps(each) + "\n" for each in whole))
        wanted = list(engine.predict(whole))
        for consumer in CONSUMERS[task]:
            said, versions, reason = _answers(consumer, folder, rows)
            alike = Alike(False, {"cannot": reason}) if reason else ALIKE[task](said, wanted)
            consumers[consumer.title] |= {
                precision: {**alike.figures, "right": alike.right},
                "versions": versions,
            }
    return {"consumers": consumers, "signatures": signatures, "rows": asked}


def _table(found: Mapping[str, Any]) -> list[list[str]]:
    rows = [["task", "consumer", "rows", *PRECISIONS, "versions"]]
    for task, of in found.items():
        for title, each in of["consumers"].items():
            figures = [
                ", ".join(
                    f"{name} {value}" for name, value in each.get(precision, {}).items() if name != "right"
                )
                for precision in PRECISIONS
            ]
            named = ", ".join(f"{name} {version}" for name, version in sorted(each["versions"].items()))
            rows.append([task, title, str(of["rows"]), *figures, named])
    return rows


def _read_whole(engine: Engine, given: Sequence[Any]) -> list[Any]:
    """Those of one row that is not full."""
    rows = engine.encode(given)
    of, lengths = origins(rows), engine.inputs.lengths(rows)
    longest = engine.manifest.max_length or lengths.max() + 1  # images have none
    return [each for i, each in enumerate(given) if (of == i).sum() == 1 and lengths[of == i][0] < longest]


def _answers(consumer: Consumer, engine: Path, rows: Path) -> tuple[list[Any], dict[str, str], str]:
    """One answer a row, the versions that gave them, and instead of answers the reason for none."""
    work, script = rows.parent, HERE / consumer.script
    output = rows.with_name(f"{rows.stem}-{consumer.environment}.answers")
    output.unlink(missing_ok=True)
    if consumer.environment == NODE:
        node = node_of(work)
        command, versions = ["node", str(shutil.copy(script, node))], node_versions(node)
    else:
        python = python_of(consumer.environment, work, PACKAGES[consumer.environment])
        command, versions = [str(python), str(script)], versions_of(python)
    print(f"{engine} by {consumer.title}", file=sys.stderr, flush=True)
    done = subprocess.run([*command, str(engine), str(rows), str(output)], stderr=subprocess.PIPE, text=True)
    sys.stderr.write(done.stderr)
    if done.returncode:
        return [], versions, done.stderr.strip().rpartition("\n")[2]
    return [json.loads(line) for line in output.read_text().splitlines()], versions, ""


if __name__ == "__main__":
    main()
