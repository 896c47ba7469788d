"""Speed-ups as a search and a gate find them on a quiet and on a busy machine, against the truth.

    python -m benchmarks.latency.busy --model FOLDER --output FOLDER

Steps, each with a file of raw figures in the work folder, and left out when that is there: graphs,
truth-before, quiet, loops, crowd, flood, quota, truth-after, gate-quiet, gate-loops, table. `--model` is
MiniLM-L6's folder. The machine has to be quiet but for the loads that the steps start. `--earlier` names
quiet.json of an earlier version (this benchmark, that version on PYTHONPATH, `--only graphs quiet`): what its
candidates took is what the time is held against. `--share` below 1 makes all smaller, to try it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.latency.busy import gate, table
from benchmarks.latency.busy.graphs import write_graphs
from benchmarks.latency.busy.loads import CONDITIONS, QuotaUnavailableError, under


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--work", type=Path, help="Folder of graphs and raw figures; else OUTPUT/busy.")
    parser.add_argument(
        "--only", nargs="+", metavar="STEP", help="These steps alone, even if they were done."
    )
    parser.add_argument("--earlier", type=Path, metavar="FILE")
    parser.add_argument("--share", type=float, default=1.0)
    options = parser.parse_args()
    work: Path = (options.work or options.output / "busy").resolve()
    work.mkdir(parents=True, exist_ok=True)

    share: float = options.share

    def times(number: int, least: int = 2) -> int:
        return max(round(number * share), least)

    steps: dict[str, Callable[[Path], None]] = {
        "graphs": lambda path: write_graphs(options.model, path, times(16, 3)),
        "truth-before": lambda path: _truth(work, path, times(4), times(40, 6)),
        **{name: lambda path, name=name: _measured(name, options.model, work, path) for name in CONDITIONS},  # type: ignore[misc]
        "truth-after": lambda path: _truth(work, path, times(4), times(40, 6)),
        "gate-quiet": lambda path: gate.run("quiet", work, path, times(50, 4)),
        "gate-loops": lambda path: gate.run("loops", work, path, times(50, 4)),
        "table": lambda path: table.write(work, options.output, options.earlier),
    }
    if unknown := set(options.only or ()) - set(steps):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; steps: {', '.join(steps)}")
    for name, step in steps.items():
        path = work / f"{name}.json"
        if name not in options.only if options.only else path.exists():
            continue
        start = time.monotonic()
        step(path)
        print(f"{name}: {(time.monotonic() - start) / 60:.1f} minutes", flush=True)


def _truth(work: Path, path: Path, processes: int, rounds: int) -> None:
    _python(["-m", "benchmarks.latency.busy.truth", str(work), str(path), str(processes), str(rounds)])


def _measured(name: str, model: Path, work: Path, path: Path) -> None:
    """In a process of its own, which a quota can then be put on."""
    try:
        with under(name) as enter:
            _python(["-m", "benchmarks.latency.busy.measure", str(model), str(work), str(path), name], enter)
    except QuotaUnavailableError as error:
        print(f"{name}: left out: {error}", flush=True)


def _python(arguments: list[str], enter: Callable[[], None] | None = None) -> None:
    subprocess.run([sys.executable, *arguments], check=True, preexec_fn=enter)


if __name__ == "__main__":
    main()
