"""Options that the benchmarks of tasks have in common."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def task_options(doc: str | None, results: Path, data: str = "--data") -> argparse.ArgumentParser:
    """For a command that fine-tunes and searches below --work; `data`: its option for data to read."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument(data, type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the steps and trials, to try it")
    parser.add_argument("--epochs", type=float, help="of the super-network")
    parser.add_argument(
        "--finetune-epochs", type=float, default=0.0, help="of each point, before it is exported"
    )
    parser.add_argument("--results", type=Path, default=results)
    return parser


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
