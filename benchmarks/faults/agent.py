"""An agent under mutated requests, fifty honest clients and three hundred silent connections.

python -m benchmarks.faults.agent [--mutated 3000] [--honest 50] [--silent 300] [--output FOLDER]
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import onnx
import psutil

from benchmarks.faults.traffic import Silent, Tally, follow, honest, mutated, mutated_request, send
from benchmarks.results import write_results
from compresskit.target.reference_graphs import default_reference
from compresskit.target.stripped_graph import strip_weights

_COMMAND = [sys.executable, "-m", "compresskit", "agent", "--port", "0", "--json", "--memory-limit", "512"]
MEASUREMENTS = 3  # of each honest client
SENDERS = 8
KEPT_ANSWERS = 200  # on one kept connection, before the load


@dataclass
class Memory:
    """Resident MiB of the agent's server, looked at while the block runs."""

    process: psutil.Process
    mib: list[float] = field(default_factory=list)

    def __enter__(self) -> Memory:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.25):
            self.mib.append(self.process.memory_info().rss / 2**20)

    @property
    def growth_mib(self) -> float:
        """Of the last quarter's median over the second's: the first is still warming up."""
        quarter = max(1, len(self.mib) // 4)
        return statistics.median(self.mib[-quarter:]) - statistics.median(self.mib[quarter : 2 * quarter])


def start_agent(folder: Path) -> tuple[subprocess.Popen[str], str, str]:
    """The program, its address and its token."""
    token_file = folder / "agent.token"
    with (folder / "agent.log").open("w") as log:
        process = subprocess.Popen(
            [*_COMMAND, "--token-file", str(token_file)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    lines = ""
    while not lines.rstrip().endswith("}"):
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"the agent did not start: {(folder / 'agent.log').read_text()}")
        lines += line
    return process, json.loads(lines)["address"], token_file.read_text().strip()


def kept_answers_ms(address: str, token: str) -> list[float]:
    """How long answers on one kept connection take."""
    headers = {"Authorization": f"Bearer {token}"}
    found = []
    with httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
        client.get("/v1/info")
        for _ in range(KEPT_ANSWERS):
            start = time.perf_counter()
            client.get("/v1/info").raise_for_status()
            found.append(1e3 * (time.perf_counter() - start))
    return found


def measure(folder: Path, requests: int, clients: int, silent: int, seed: int = 0) -> dict[str, Any]:
    """All of it against an agent in `folder`; the figures."""
    graph = strip_weights(onnx.load_model_from_string(default_reference())).SerializeToString()
    process, address, token = start_agent(folder)
    port = int(address.rpartition(":")[2])
    good, bad = Tally(), Tally()
    try:
        kept = kept_answers_ms(address, token)
        start = time.monotonic()
        with Memory(psutil.Process(process.pid)) as memory, Silent(port, silent) as quiet:
            time.sleep(2.0)  # all the silent ones are there first
            with ThreadPoolExecutor(clients + SENDERS) as pool:
                work = [
                    pool.submit(honest, address, token, graph, MEASUREMENTS, good) for _ in range(clients)
                ]
                shares = [requests // SENDERS + (place < requests % SENDERS) for place in range(SENDERS)]
                work += [
                    pool.submit(_send_mutated, address, token, graph, share, random.Random(seed + place), bad)
                    for place, share in enumerate(shares)
                ]
                for each in work:
                    each.result()
            after = Tally()
            honest(address, token, graph, 1, after)
        seconds = time.monotonic() - start
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)
    finally:
        process.kill()
        process.communicate()
    return {
        "seconds": seconds,
        "honest": {"clients": clients, "asked": clients * MEASUREMENTS, "answers": dict(good.answers)},
        "honest_wait_ms": _spread(good.waits_ms),
        "mutated": {"sent": requests, "answers": dict(sorted(bad.answers.items()))},
        "silent": {"held": silent, "opened": quiet.opened},
        "kept_answers_ms": _spread(kept),
        "memory_mib": {"median": statistics.median(memory.mib), "most": max(memory.mib)},
        "memory_growth_mib": memory.growth_mib,
        "exit_status": status,
        "faults": _faults(good, after, clients * MEASUREMENTS, memory, kept, status),
    }


def _send_mutated(
    address: str, token: str, graph: bytes, count: int, rng: random.Random, tally: Tally
) -> None:
    """In turn a changed HTTP head, a changed header of a body, and a changed graph, which is followed."""
    port = int(address.rpartition(":")[2])
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=60.0) as client:
        for number in range(count):
            if number % 3 < 2:
                send(port, mutated_request(token, graph, rng, of_head=number % 3 == 0), tally)
                continue
            try:
                follow(client, mutated(graph, rng), tally)
            except httpx.HTTPError as error:
                tally.note(type(error).__name__)


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values) or [float("nan")]
    return {
        "median": statistics.median(ordered),
        "p95": ordered[int(0.95 * (len(ordered) - 1))],
        "most": ordered[-1],
    }


def _faults(
    good: Tally, after: Tally, asked: int, memory: Memory, kept: Sequence[float], status: int
) -> list[str]:
    faults = []
    refused = {what: n for what, n in good.answers.items() if what not in ("200", "202", "done")}
    if refused or good.answers["done"] != asked:
        faults.append(f"honest clients: {good.answers['done']} of {asked} served, refused {refused}")
    if after.answers["done"] != 1:
        faults.append(f"an honest client afterwards: {dict(after.answers)}")
    if memory.growth_mib > 10:
        faults.append(f"memory grew by {memory.growth_mib:.1f} MiB")
    if statistics.median(kept) > 2.0:
        faults.append(f"answers on a kept connection take {statistics.median(kept):.1f} ms")
    if status != 0:
        faults.append(f"the agent ended with status {status}")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutated", type=int, default=3000)
    parser.add_argument("--honest", type=int, default=50)
    parser.add_argument("--silent", type=int, default=300)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.mutated, asked.honest, asked.silent)
    answers = ", ".join(f"{status}: {count}" for status, count in found["mutated"]["answers"].items())
    served, wait, kept = found["honest"], found["honest_wait_ms"], found["kept_answers_ms"]
    rows = [
        ["what", "figure"],
        ["honest measurements served", f"{served['answers'].get('done', 0)} of {served['asked']}"],
        ["their wait, median and longest", f"{wait['median'] / 1e3:.1f} s, {wait['most'] / 1e3:.1f} s"],
        ["answers to mutated requests", answers],
        ["silent connections opened, as they were closed", f"{found['silent']['opened']:,}"],
        ["answer on a kept connection, median and 95 %", f"{kept['median']:.2f} ms, {kept['p95']:.2f} ms"],
        ["memory of the server, most", f"{found['memory_mib']['most']:.0f} MiB"],
        ["its growth over the second half", f"{found['memory_growth_mib']:+.1f} MiB"],
        ["**faults**", f"**{'; '.join(found['faults']) or 'none'}**"],
    ]
    notes = (
        f"{asked.mutated:,} mutated requests (HTTP, header of a body, graph: a third each, with the token), "
        f"{asked.honest} honest clients with {MEASUREMENTS} measurements each and {asked.silent} connections "
        "that say nothing, all at once on loopback, against one `compresskit agent`. An answer other than "
        "200 or 202 to an honest client is a fault, and so are memory that grows by more than 10 MiB and "
        "answers on a kept connection that take more than 2 ms before the load."
    )
    write_results(asked.output, "agent", found, rows, notes)
    sys.exit(1 if found["faults"] else 0)


if __name__ == "__main__":
    main()
