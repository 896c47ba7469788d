"""Which form of a graph is right in which ONNX Runtime, for one row and for four.

python -m benchmarks.runtimes --versions 1.18.1 1.20.1 --work FOLDER --output FOLDER

Engines are made here and answered in an environment for each version, which pip fills from PyPI.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine.environments import ROOT, python_of
from benchmarks.results import write_results
from benchmarks.runtimes.engines import EXPECTED, SHAPES, make_engines
from compresskit.bundle.runtime import parse_version

VERSIONS = (
    *("1.18.0", "1.18.1", "1.19.2", "1.20.0", "1.20.1", "1.21.0", "1.21.1"),
    *("1.22.1", "1.23.0", "1.23.2", "1.24.1", "1.31.1"),
)
RIGHT, WRONG, REFUSED, FAILED = "right", "wrong", "refused", "fails"
_FP32 = 1e-4  # logits from PyTorch's
_REDUCED = 0.02  # share of the largest logit, from what the present ONNX Runtime answers in this precision

Verdicts = dict[str, dict[str, dict[str, str]]]  # engine -> version -> "loader", "bare" -> verdict


def measure(versions: Sequence[str], work: Path, shapes: tuple[str, ...] = tuple(SHAPES)) -> Verdicts:
    """Make the engines, answer with them in each version, and judge the answers."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        engines = Path(folder)
        names = make_engines(engines, shapes)
        found: Verdicts = {name: {} for name in names}
        for version in versions:
            answered = answers_of(version, engines, work)
            for name in names:
                expected = json.loads((engines / f"{name}.{EXPECTED}").read_text())
                found[name][version] = {
                    way: verdict(answer, expected, name.rpartition(",")[2])
                    for way, answer in answered[name].items()
                }
    return found


def answers_of(version: str, engines: Path, work: Path) -> dict[str, Any]:
    """What `probe` prints in the environment of one version."""
    # Wheels of before 1.19 are built for the first major version of numpy.
    numpy = "numpy<2" if parse_version(version) < (1, 19, 0) else "numpy"
    packages = [f"onnxruntime=={version}", "tokenizers", "psutil", numpy]
    python = python_of(f"onnxruntime-{version}", work, packages)
    print(f"answering in onnxruntime {version}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("probe.py")), str(engines)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    value = json.loads(done.stdout)
    assert value["onnxruntime"] == version
    answered: dict[str, Any] = value["engines"]
    return answered


def verdict(answer: Mapping[str, Any], expected: Mapping[str, Any], precision: str) -> str:
    """Right, wrong and for how many rows, refused and by which need, or fails."""
    if "refused" in answer:
        words = str(answer["refused"]).split("needs onnxruntime ")
        return f"{REFUSED} ({words[1].split()[0]})" if len(words) > 1 else FAILED
    if "failed" in answer:
        return FAILED
    wrong = [rows for rows in ("one", "four") if not _is_right(answer[rows], expected, rows, precision)]
    return f"{WRONG} for {' and '.join(wrong)}" if wrong else RIGHT


def _is_right(logits: Any, expected: Mapping[str, Any], rows: str, precision: str) -> bool:
    wanted = np.array(expected["pytorch" if precision == "fp32" else rows])
    tolerance = _FP32 if precision == "fp32" else _REDUCED * float(np.abs(wanted).max())
    return bool((np.abs(np.array(logits) - wanted) <= tolerance).all())  # not so for NaN


def table(found: Verdicts, versions: Sequence[str]) -> list[list[str]]:
    """A row for each form and precision: the worst that any shape met, and what the loader prevented."""
    forms: dict[tuple[str, str], list[str]] = {}
    for name in found:
        _, form, precision = name.split(",")
        forms.setdefault((form, precision), []).append(name)
    rows = [["form", "precision", *versions]]
    for (form, precision), names in forms.items():
        cells = [_cell([found[name][version] for name in names]) for version in versions]
        rows.append([form, precision, *cells])
    return rows


def _cell(verdicts: Sequence[Mapping[str, str]]) -> str:
    ways = {way: sorted({each[way] for each in verdicts}) for way in ("loader", "bare")}
    if ways["loader"] == [RIGHT]:
        return RIGHT
    return f"{', '.join(ways['loader'])}; else {', '.join(ways['bare'])}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", nargs="+", default=list(VERSIONS))
    parser.add_argument("--work", type=Path, help="keep the environments here")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        found = measure(arguments.versions, work)
    write_results(
        arguments.output,
        "runtimes",
        {"verdicts": found},
        table(found, arguments.versions),
        f"Engines of {len(SHAPES)} pruned BERTs (hidden sizes "
        f"{', '.join(str(shape.hidden) for shape in SHAPES.values())}) in old ONNX Runtimes through "
        "`load_engine`, each of four texts alone and all at once. Right: within 1e-4 of PyTorch's logits in "
        "fp32, else within 2 % of the largest logit of what ONNX Runtime answers where the engine was made. "
        "Refused: by `load_engine`, which names the version that is needed; else: what the graph alone does.",
    )
    bad = {name for name, each in found.items() for way in each.values() if not _is_good(way["loader"])}
    if bad:
        raise SystemExit(f"answered wrongly: {', '.join(sorted(bad))}")


def _is_good(outcome: str) -> bool:
    return outcome == RIGHT or outcome.startswith(REFUSED)


if __name__ == "__main__":
    main()
