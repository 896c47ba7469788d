from __future__ import annotations

import sys
import time

import pytest

from compresskit.target.clock import CoreClock, counts_processor_time

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells how long a thread waited")


def work() -> int:
    return sum(range(20_000))


def test_processor_time_leaves_sleep_out() -> None:
    clock = CoreClock()
    times = clock.time(lambda: time.sleep(0.005), 3)
    assert all(wall >= 5 for wall in times.wall)
    assert all(cpu < 2 for cpu in times.cpu)
    assert not times.waited, "no thread is watched yet"
    clock.close()


def test_work_counts_in_full() -> None:
    assert counts_processor_time()
    times = CoreClock().time(work, 20)
    assert len(times.cpu) == len(times.wall) == 20
    assert all(0 < cpu <= wall * 1.01 for cpu, wall in zip(times.cpu, times.wall, strict=True))


@LINUX
def test_waits_of_all_threads_are_told() -> None:
    clock = CoreClock()
    clock.refresh()
    times = clock.time(work, 5)
    assert len(times.waited) == 5 and all(waited >= 0 for waited in times.waited)
    before = clock.waited_ns()
    assert before is not None and before >= 0
    clock.close()
    assert clock.waited_ns() is None


@LINUX
def test_the_machine_is_read() -> None:
    first, second = (CoreClock.machine() for _ in range(2))
    assert first is not None and second is not None
    assert all(later >= earlier for earlier, later in zip(first, second, strict=True))
