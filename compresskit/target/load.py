"""What else the machine does while latency is measured."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Load:
    """Processor time so far: of the whole machine and of the measuring processes, seconds."""

    wall_seconds: float
    machine_seconds: float
    own_seconds: float
    clock_mhz: float | None


def load_now(pids: tuple[int, ...]) -> Load:
    """State of the machine; `pids` and this process count as the measurement's own."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Linux counts a guest's time in user time already.
    guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    own = 0.0
    for pid in {*pids, os.getpid()}:
        try:
            spent = psutil.Process(pid).cpu_times()
        except psutil.Error:
            continue
        own += spent.user + spent.system
    return Load(time.monotonic(), sum(times) - idle - guest, own, _clock_mhz())


def foreign_cores(before: Load, after: Load) -> float | None:
    """Processor cores that others kept busy in between; None when it was too short to tell."""
    wall = after.wall_seconds - before.wall_seconds
    if wall < 0.5:
        return None
    busy = after.machine_seconds - before.machine_seconds - (after.own_seconds - before.own_seconds)
    return max(busy / wall, 0.0)


def _clock_mhz() -> float | None:
    try:
        frequency = psutil.cpu_freq()
    except (NotImplementedError, OSError):
        return None
    return float(frequency.current) if frequency and frequency.current else None
