"""Engines of pruned architectures: against other exporters, against their MACs, by operator, and in int8.

    python -m benchmarks.engine --work FOLDER --model FOLDER
    python -m benchmarks.engine --work FOLDER --part int8 --run RUN --run RUN

What is made or measured is kept below --work, and a cut-off run goes on where it was. Each part writes
results of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.engine.efficiency import efficiency, operators, plain_session
from benchmarks.engine.int8 import Pair, int8, pairs_of_run
from benchmarks.engine.models import export_others, families
from benchmarks.engine.speed import THREADS, speed

MEASURED = {
    "speed": speed,
    "efficiency": efficiency,
    "operators": operators,
    "plain-session": plain_session,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", help="folder of MiniLM-L6; random weights of its size without one")
    parser.add_argument("--part", action="append", choices=[*MEASURED, "int8"])
    parser.add_argument(
        "--net", action="append", default=[], help="measure this architecture only; may repeat"
    )
    parser.add_argument(
        "--threads", type=int, nargs="+", default=list(THREADS), help="of the part speed: measure these only"
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="of measuring an engine in a comparison")
    parser.add_argument("--run", type=Path, action="append", default=[], help="finished run, for int8")
    parser.add_argument("--max-drop", default="1.5", help="of the pruned point of a run, on validation")
    parser.add_argument(
        "--pair",
        type=Path,
        nargs="+",
        action="append",
        default=[],
        help="engine in fp32 and in int8, and perhaps the dense one in fp32",
    )
    parser.add_argument("--results", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    parts = options.part or list(MEASURED) + (["int8"] if options.run or options.pair else [])
    options.work.mkdir(parents=True, exist_ok=True)
    measured: dict[str, Callable[..., None]] = {**MEASURED, "speed": partial(speed, threads=options.threads)}
    wanted = [part for part in parts if part in measured]
    if wanted:
        models = families(options.work, options.model, options.net)
        for family in models if "speed" in wanted else []:
            export_others(family, options.work)
        for part in wanted:
            measured[part](models, options.work, options.results, options.seconds)
    if "int8" in parts:
        pairs = [pair for run in options.run for pair in pairs_of_run(run, options.work, options.max_drop)]
        pairs += [Pair(low.name, fp32, low, *dense[:1]) for fp32, low, *dense in options.pair]
        int8(pairs, options.results)


if __name__ == "__main__":
    main()
