"""Environments of other people's tools, each made once in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
# torch's version is given beside each package that needs it: alone, the newest build with CUDA would come.
TORCH = "torch==2.13.0"
PYTHON_PACKAGES = {
    # Its newest release; it pins transformers below 4.58.
    "optimum": [TORCH, "optimum-onnx[onnxruntime]==0.1.0"],
    "onnxruntime": ["onnxruntime", "tokenizers"],
    "engine": ["-e", f"{ROOT}[cpu]"],
    # What load_pruned needs of the search extra.
    "pytorch": [TORCH, "transformers>=5,<6", "safetensors", "optimum>=2.3,<3", "requests", "-e", str(ROOT)],
}
NODE_PACKAGES = ["@huggingface/transformers"]


def python_of(name: str, work: Path, packages: Sequence[str] | None = None) -> Path:
    """The interpreter of environment `name` below `work`, which is made if it is not whole.

    It holds `packages`, by default those of this name in `PYTHON_PACKAGES`.
    """
    folder = work / "environments" / name
    packages = PYTHON_PACKAGES[name] if packages is None else packages
    python = folder / "bin" / "python"
    if _is_made(folder, packages):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _say(f"making environment {name}: {' '.join(packages)}")
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", *packages])
    _mark(folder, packages)
    return python


def node_of(work: Path) -> Path:
    """The folder below `work` that holds Transformers.js and its ONNX Runtime."""
    folder = work / "environments" / "node"
    if not _is_made(folder, NODE_PACKAGES):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _say(f"making environment node: {' '.join(NODE_PACKAGES)}")
        # The CPU library lies in the package; what would be fetched afterwards is that of CUDA.
        environment = {
            **os.environ,
            "ONNXRUNTIME_NODE_INSTALL": "skip",
            "ONNXRUNTIME_NODE_INSTALL_CUDA": "skip",
        }
        _run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *NODE_PACKAGES],
            environment,
        )
        _mark(folder, NODE_PACKAGES)
    return folder


def versions_of(python: Path) -> dict[str, str]:
    """Versions of the packages that decide what an environment computes."""
    names = ["onnxruntime", "optimum-onnx", "transformers", "tokenizers", "torch", "compresskit"]
    names += ["sentence-transformers", "fastembed"]
    code = (
        "import importlib.metadata as m, json\nfound = {}\n"
        f"for name in {names!r}:\n    try: found[name] = m.version(name)\n"
        "    except m.PackageNotFoundError: pass\nprint(json.dumps(found))"
    )
    done = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr, env=environment)


def _is_made(folder: Path, packages: Sequence[str]) -> bool:
    marker = folder / "made"
    return marker.is_file() and marker.read_text() == _key(packages)


def _mark(folder: Path, packages: Sequence[str]) -> None:
    (folder / "made").write_text(_key(packages))


def _key(packages: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(packages).encode()).hexdigest()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
