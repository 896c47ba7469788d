"""How long a person waits for `compresskit --help`, against Python's own start and with a command's help.

python -m benchmarks.startup
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.results import write_results

ROUNDS = 20
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "compresskit --help": ["-m", "compresskit", "--help"],
    "compresskit search --help": ["-m", "compresskit", "search", "--help"],
    "compresskit bench --help": ["-m", "compresskit", "bench", "--help"],
}


def seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, arguments in COMMANDS.items():
            found[name].append(seconds(arguments))
    rows = [["command", "median, s", "longest, s"]]
    rows += [[name, f"{statistics.median(each):.3f}", f"{max(each):.3f}"] for name, each in found.items()]
    write_results(
        Path(__file__).parent,
        "startup",
        {"seconds": found},
        rows,
        f"Wall time of whole processes, {ROUNDS} rounds, commands turn about. Asked for: at most 0.4 s.",
    )


if __name__ == "__main__":
    main()
