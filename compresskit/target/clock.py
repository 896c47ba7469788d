"""What one run took: wall clock, processor time of the calling thread, and time spent waiting for a core.

A run that is shorter than the scheduler's slice (about 3 ms) rarely meets another program, a longer one
always does, so on a busy machine wall clock makes short runs look faster beside long ones than they are.
The kernel knows how long each thread was ready to run and had no core: the second field of
/proc/self/task/TID/schedstat (Linux, Documentation/scheduler/sched-stats.rst). Throttling by a CPU quota
counts as waiting too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from operator import sub
from pathlib import Path

_TASKS = Path("/proc/self/task")
_UPTIME = Path("/proc/uptime")


@dataclass
class RunTimes:
    """One entry a run, ms. `waited` is the longest of any thread; empty where the system does not tell."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)


class CoreClock:
    """Times runs in this process. `refresh` when threads may have come or gone."""

    def __init__(self) -> None:
        self._files: list[int] = []

    def refresh(self) -> None:
        """Watch the threads that exist now."""
        self.close()
        with suppress(OSError):
            for task in _TASKS.iterdir():
                with suppress(OSError):  # it has just ended
                    self._files.append(os.open(task / "schedstat", os.O_RDONLY))
        if self.waited_ns() is None:
            self.close()

    def waited_ns(self) -> list[int] | None:
        """Nanoseconds for which each watched thread waited for a core so far; None where it is not known."""
        if not self._files:
            return None
        try:
            return [int(os.pread(file, 96, 0).split()[1]) for file in self._files]
        except (OSError, IndexError, ValueError):  # a thread ended, or a kernel without the figures
            return None

    @staticmethod
    def machine() -> tuple[float, float, float] | None:
        """Seconds by this clock, idle seconds of all cores together, and processor seconds of this process.

        From /proc/uptime, whose idle time has a resolution of 10 ms; None where there is none.
        """
        try:
            idle = float(_UPTIME.read_bytes().split()[1])
        except (OSError, IndexError, ValueError):
            return None
        if idle == 0:  # some sandboxes have the file and not the figure
            return None
        return time.perf_counter(), idle, time.process_time()

    def time(self, run: Callable[[], object], runs: int) -> RunTimes:
        """Times of `runs` calls, one after the other."""
        found = RunTimes()
        wall, cpu = time.perf_counter_ns, time.thread_time_ns
        before = self.waited_ns()
        for _ in range(runs):
            cpu_start = cpu()
            start = wall()
            run()
            end = wall()
            found.cpu.append((cpu() - cpu_start) / 1e6)
            found.wall.append((end - start) / 1e6)
            if before is not None:
                after = self.waited_ns()
                if after is None:
                    before, found.waited = None, []
                    continue
                found.waited.append(max(map(sub, after, before)) / 1e6)
                before = after
        return found

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())


def counts_processor_time() -> bool:
    """Whether a thread's processor time is fine enough here to time one run (not so on Windows)."""
    return time.get_clock_info("thread_time").resolution <= 1e-6
