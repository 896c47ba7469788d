"""What else the machine does: loops on every core, a copy that floods memory, or a quota of half a core."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Condition -> what it is; the loads of `under`.
CONDITIONS = {
    "quiet": "quiet",
    "loops": "one busy loop a core, on and off",
    "crowd": "two busy loops a core",
    "flood": "beside a copy loop in memory",
    "quota": "in a cgroup of half a core",
}
# Each program says that it is ready, and ends when what started it is gone.
_BEGIN = """
import os, random, sys, time
parent, seed = os.getppid(), int(sys.argv[1])
print("ready", flush=True)
def alone():
    return os.getppid() != parent
"""
_ON_AND_OFF = (
    _BEGIN
    + """
drawn = random.Random(seed)
while not alone():
    until = time.monotonic() + drawn.uniform(0.2, 1.2)
    while time.monotonic() < until:
        pass
    time.sleep(drawn.uniform(0.2, 1.2))
"""
)
_ALWAYS = (
    _BEGIN
    + """
while not alone():
    for _ in range(100_000):
        pass
"""
)
# Far more than a last-level cache holds.
_FLOOD = (
    "import numpy as np\nsource, target = np.ones(1 << 25), np.empty(1 << 25)\n"
    + _BEGIN
    + """
while not alone():
    np.copyto(target, source)
"""
)
_PERIOD_US, _QUOTA_US = 100_000, 50_000


class QuotaUnavailableError(Exception):
    """No control group can be made here."""


@contextmanager
def under(condition: str) -> Iterator[Callable[[], None] | None]:
    """The load of a condition while it lasts; gives what a new process has to call first to be under it."""
    cores = sorted(os.sched_getaffinity(0))
    if condition == "quota":
        with _half_a_core() as enter:
            yield enter
        return
    of_condition: dict[str, list[tuple[str, int | None]]] = {
        "quiet": [],
        "loops": [(_ON_AND_OFF, core) for core in cores],
        "crowd": [(_ALWAYS, core) for core in (*cores, *cores)],
        "flood": [(_FLOOD, None)],
    }
    started: list[subprocess.Popen[bytes]] = []
    try:
        for seed, (program, core) in enumerate(of_condition[condition]):
            started.append(_start(program, seed, core))
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        yield None
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _start(program: str, seed: int, core: int | None) -> subprocess.Popen[bytes]:
    def pin() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})

    return subprocess.Popen(
        [sys.executable, "-c", program, str(seed)],
        stdout=subprocess.PIPE,
        preexec_fn=pin,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )


@contextmanager
def _half_a_core() -> Iterator[Callable[[], None]]:
    """A control group, v1 or v2, that a process enters by itself."""
    mounted = Path("/sys/fs/cgroup")
    is_v2 = (mounted / "cgroup.controllers").exists()

    def enter() -> None:
        (folder / "cgroup.procs").write_text(str(os.getpid()))

    folder = (mounted if is_v2 else mounted / "cpu") / f"busy-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        raise QuotaUnavailableError(f"no control group can be made: {error}") from None
    try:
        try:
            if is_v2:
                (folder / "cpu.max").write_text(f"{_QUOTA_US} {_PERIOD_US}")
            else:
                (folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
                (folder / "cpu.cfs_quota_us").write_text(str(_QUOTA_US))
        except OSError as error:
            raise QuotaUnavailableError(f"the control group takes no quota: {error}") from None
        yield enter
    finally:
        folder.rmdir()
