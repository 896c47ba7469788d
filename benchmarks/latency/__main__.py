"""Latency as it is measured, in parts that each write their own result.

    python -m benchmarks.latency PART --model FOLDER --work FOLDER

Parts: build, forty, repeatability, drift, coverage, coverage-loaded, agent, or all of them. `--model` is
MiniLM-L6's folder. `all` leaves out a part whose result in `--output` is newer than this run's work folder,
so that a run which was cut off goes on where it was. `--share` below 1 makes every part smaller, to try it.
"""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from pathlib import Path

from benchmarks.latency.subjects import Settings

PARTS = ("build", "forty", "repeatability", "drift", "coverage", "coverage-loaded", "agent")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=(*PARTS, "all"))
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    begun = options.work / "begun"
    if not begun.exists():
        options.work.mkdir(parents=True, exist_ok=True)
        begun.touch()
    settings = Settings(options.model, options.work.resolve(), options.output, options.share)
    for part in PARTS if options.part == "all" else (options.part,):
        result = options.output / f"{part.replace('-', '_')}.json"
        done = result.exists() and result.stat().st_mtime > begun.stat().st_mtime
        if options.part == "all" and done:
            continue
        start = time.monotonic()
        module = import_module(f"benchmarks.latency.{part.partition('-')[0]}")
        (module.run_loaded if part.endswith("-loaded") else module.run)(settings)
        print(f"{part}: {(time.monotonic() - start) / 60:.1f} minutes", flush=True)


if __name__ == "__main__":
    main()
