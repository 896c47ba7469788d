"""ModernBERT: a small one that is trained, searched and exported, and a random one of base size.

    python -m benchmarks.modernbert --model FOLDER --data FOLDER --work FOLDER [--part small] [--part base]

`--model` is MiniLM-L6, which becomes the teacher, `--data` the folder of data sets. What is made is kept
below --work, and a cut-off run goes on where it was; with --seconds it stops by itself to go on later.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.modernbert.base import base
from benchmarks.modernbert.small import small

PARTS = ("small", "base")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of training the dense model")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    parts = options.part or PARTS
    options.work.mkdir(parents=True, exist_ok=True)
    if "small" in parts and not small(
        options.model, options.data, options.work, options.results, options.seconds
    ):
        sys.exit("the dense model is not trained yet; the same command goes on")
    if "base" in parts:
        base(options.work, options.results)


if __name__ == "__main__":
    main()
