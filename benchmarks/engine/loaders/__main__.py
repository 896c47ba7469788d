"""One engine in five loaders, each in an environment of its own, on the whole test split of a data set.

    python -m benchmarks.engine.loaders --engine FOLDER --dataset FOLDER --work FOLDER

Environments are made below --work on the first call and used again. Ends with status 1 where any loader
gives another label than PyTorch.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine.environments import node_of, python_of, versions_of
from benchmarks.results import write_results
from compresskit.bundle import verify
from compresskit.bundle.manifest import FILE_NAME, file_hash
from compresskit.pipeline.benching.data import read_for
from compresskit.tasks.examples import DataOptions

HERE = Path(__file__).parent
REFERENCE = "compresskit.load_pruned, PyTorch"
# Loader -> environment and script.
LOADERS = {
    REFERENCE: ("pytorch", "pytorch.py"),
    "compresskit.load_engine, base install": ("engine", "compresskit_engine.py"),
    "onnxruntime and tokenizers": ("onnxruntime", "plain_onnxruntime.py"),
    "optimum-onnx, ORTModel and pipeline": ("optimum", "optimum_pipeline.py"),
    "Transformers.js under Node": ("node", "transformers_js.mjs"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", type=Path, required=True)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--results", type=Path, default=HERE)
    options = parser.parse_args()
    engine, work = options.engine.resolve(), options.work.resolve()
    manifest = verify(engine)
    found_rows = read_for([manifest.kind], options.dataset, DataOptions())
    (data,) = found_rows.of
    assert data is not None
    folder = work / "labels" / file_hash(engine / FILE_NAME)[:12]
    folder.mkdir(parents=True, exist_ok=True)
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": text}) + "\n" for (text,) in data.texts))
    found, versions = {}, {}
    for name, (environment, script) in LOADERS.items():
        found[name], versions[name] = answers(environment, HERE / script, engine, rows, work)
    results, table, same = compared(found, versions, len(data))
    notes = (
        f"`{manifest.signature}`, {manifest.precision}, on all {len(data)} rows of "
        f"{Path(found_rows.source).name}. "
        + ("All loaders give the same labels." if same else "LABELS DIFFER.")
    )
    write_results(
        options.results, "loaders", {"engine": manifest.to_json(), "loaders": results}, table, notes
    )
    sys.exit(0 if same else 1)


def answers_of_optimum(
    script: Path, engine: Path, texts: Sequence[str], work: Path
) -> tuple[list[Any], Mapping[str, str]]:
    """What `script` answers in optimum-onnx to each text, and the versions there."""
    rows = work / "optimum" / engine.name / "rows.jsonl"
    rows.parent.mkdir(parents=True, exist_ok=True)
    rows.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return answers("optimum", script, engine.resolve(), rows.resolve(), work.resolve())


def answers(
    environment: str, script: Path, engine: Path, rows: Path, work: Path
) -> tuple[list[dict[str, Any]], Mapping[str, str]]:
    """One answer a row, from the file of an earlier call for this engine, and the versions there."""
    if environment == "node":
        node = node_of(work)
        # Node looks for packages beside the script.
        command = ["node", str(shutil.copy(script, node))]
        versions = node_versions(node)
    else:
        python = python_of(environment, work)
        command = [str(python), str(script)]
        versions = versions_of(python)
    output = rows.with_name(f"{environment}.jsonl")
    if not output.exists() or output.stat().st_mtime < engine.stat().st_mtime:
        print(f"labels by {script.name}", file=sys.stderr, flush=True)
        part = output.with_suffix(".part")
        subprocess.run([*command, str(engine), str(rows), str(part)], check=True, stdout=sys.stderr)
        part.rename(output)
    return [json.loads(line) for line in output.read_text().splitlines()], versions


def node_versions(node: Path) -> dict[str, str]:
    found = {
        "node": subprocess.run(
            ["node", "--version"], check=True, capture_output=True, text=True
        ).stdout.strip()
    }
    for name in ("@huggingface/transformers", "onnxruntime-node"):
        package = node / "node_modules" / name / "package.json"
        if package.exists():
            found[name] = json.loads(package.read_text())["version"]
    return found


def compared(
    found: Mapping[str, list[dict[str, Any]]], versions: Mapping[str, Mapping[str, str]], count: int
) -> tuple[dict[str, Any], list[list[str]], bool]:
    """Figures by loader, their table, and whether every label is that of PyTorch."""
    wanted = found[REFERENCE]
    reference = np.array([row["logits"] for row in wanted])
    table = [["loader", "rows", "labels as PyTorch's", "largest difference of logits", "versions"]]
    results: dict[str, Any] = {}
    for name, rows in found.items():
        assert len(rows) == count, f"{name} answered {len(rows)} of {count} rows"
        equal = sum(row["label"] == other["label"] for row, other in zip(rows, wanted, strict=True))
        difference = float(np.abs(np.array([row["logits"] for row in rows]) - reference).max())
        results[name] = {
            "rows": len(rows),
            "same_labels": equal,
            "largest_difference": difference,
            "versions": dict(versions[name]),
        }
        kept = ", ".join(f"{package} {version}" for package, version in versions[name].items())
        table.append([name, str(len(rows)), str(equal), f"{difference:.1e}", kept])
    same = all(result["same_labels"] == len(wanted) for result in results.values())
    return results, table, same


if __name__ == "__main__":
    main()
