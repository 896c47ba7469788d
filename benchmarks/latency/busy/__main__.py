"""Speed-ups as a search and a gate find them on a quiet and on a busy machine, against the truth.

    python -m benchmarks.latency.busy --model FOLDER --output FOLDER

Steps, each with a file of raw figures in the work folder, and left out when that is there: graphs,
quiet, loops, crowd, flood, quota, gate-quiet, gate-loops, table; the truth is taken around each, and where it
moved by more than 5 % for any graph meanwhile, the condition is measured again, twice at most. `--model` is
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
from functools import partial
from pathlib import Path

from benchmarks.latency.busy import gate, table
from benchmarks.latency.busy.graphs import write_graphs
from benchmarks.latency.busy.loads import CONDITIONS, QuotaUnavailableError, under
from benchmarks.latency.busy.truth import most_moved, take, truth_files

_MOST_MOVED, _ATTEMPTS = 0.05, 3


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

    rounds = times(20, 6)
    steps: dict[str, Callable[[Path], None]] = {
        "graphs": lambda path: write_graphs(options.model, path, times(16, 3)),
        **{name: partial(_measured, name, options.model, work, rounds) for name in CONDITIONS},
        "gate-quiet": lambda path: gate.run("quiet", work, path, times(50, 4), rounds),
        "gate-loops": lambda path: gate.run("loops", work, path, times(50, 4), rounds),
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


def _measured(name: str, model: Path, work: Path, rounds: int, path: Path) -> None:
    """In a process of its own, which a quota can then be put on; the truth just before and just after it.

    Where neighbours on the host moved the truth meanwhile there is nothing to judge by, and it is done again.
    """
    before, after = truth_files(work, name)
    take(work, before, rounds)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with under(name) as enter:
                _python(
                    ["-m", "benchmarks.latency.busy.measure", str(model), str(work), str(path), name], enter
                )
        except QuotaUnavailableError as error:
            print(f"{name}: left out: {error}", flush=True)
            return
        take(work, after, rounds)
        moved = most_moved(before, after)
        print(f"{name}, attempt {attempt}: the truth of one graph moved by {moved:.1%} at most", flush=True)
        if moved <= _MOST_MOVED or attempt == _ATTEMPTS:
            return
        after.replace(before)


def _python(arguments: list[str], enter: Callable[[], None] | None = None) -> None:
    subprocess.run([sys.executable, *arguments], check=True, preexec_fn=enter)


if __name__ == "__main__":
    main()
