"""Block-structured pruning: what it does to the metric, and what it gains on the device.

    python -m benchmarks.block latency [--quick]
    python -m benchmarks.block accuracy --model FOLDER --data FOLDER --work FOLDER [--quick]
    python -m benchmarks.block compare --model FOLDER --data FOLDER --work FOLDER [--quick]

Each part is run alone and writes its own table; what is done is kept in `--work`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = parser.add_subparsers(dest="part", required=True)
    latency = parts.add_parser("latency", help="BERT-base of random weights; no training")
    latency.add_argument("--quick", action="store_true", help="two layers, few runs: a check, no result")
    accuracy = parts.add_parser("accuracy", help="metric against compression rate")
    accuracy.add_argument("--model", required=True, help="pretrained weights")
    accuracy.add_argument("--data", type=Path, required=True, help="folder of data sets")
    accuracy.add_argument("--work", type=Path, required=True)
    accuracy.add_argument("--sets", nargs="+", default=["sst2", "mrpc", "stsb"])
    accuracy.add_argument("--penalties", nargs="+", default=["reweighted", "plain", "none"])
    accuracy.add_argument("--bases", nargs="+", default=["dense", "student"])
    accuracy.add_argument("--scale", type=float, default=1.0, help="of the numbers of steps")
    accuracy.add_argument("--strength", type=float, default=1e-3, help="of the penalty")
    accuracy.add_argument(
        "--dense", type=Path, help="folder of fine-tuned models by data set; those that are missing are made"
    )
    accuracy.add_argument("--no-run", action="store_true", help="write the table of what there is")
    accuracy.add_argument("--quick", action="store_true", help="two rates, a hundredth of the steps: a check")
    compare = parts.add_parser("compare", help="penalties and structured search at the same latency")
    compare.add_argument("--model", required=True, help="pretrained weights")
    compare.add_argument("--data", type=Path, required=True, help="folder of data sets")
    compare.add_argument("--work", type=Path, required=True)
    compare.add_argument("--sets", nargs="+", default=["sst2", "mrpc", "stsb"])
    compare.add_argument("--epochs", help="of each search; by default what `compresskit search` takes")
    compare.add_argument("--quick", action="store_true", help="3 trials, a tenth of an epoch: a check")
    options = parser.parse_args()
    if options.part == "latency":
        from benchmarks.block import latency as timing

        timing.run(Path(__file__).parent, quick=options.quick, say=say)
    if options.part == "accuracy":
        from benchmarks.block import accuracy as part

        part.run(
            Path(__file__).parent,
            model=options.model,
            data=options.data,
            work=options.work,
            sets=options.sets,
            kinds=options.penalties,
            bases=options.bases,
            scale=0.01 if options.quick else options.scale,
            strength=options.strength,
            dense=options.dense,
            quick=options.quick,
            runs=not options.no_run,
            say=say,
        )
    if options.part == "compare":
        from benchmarks.block import compare as contest

        contest.run(
            Path(__file__).parent,
            model=options.model,
            data=options.data,
            work=options.work,
            sets=options.sets,
            epochs="0.1" if options.quick else options.epochs,
            quick=options.quick,
            say=say,
        )


if __name__ == "__main__":
    main()
