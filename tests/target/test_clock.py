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
    start = time.perf_counter()
    times = CoreClock().time(work, 20)
    elapsed = 1e3 * (time.perf_counter() - start)
    assert len(times.cpu) == len(times.wall) == 20
    assert all(cpu > 0 for cpu in times.cpu)
    # One run may be counted longer than its wall clock, which starts later and ends sooner.
    assert sum(times.cpu) <= 1.01 * elapsed


@LINUX
def test_waits_of_all_threads_are_told() -> None:
    clock = CoreClock()
    clock.refresh()
    times = clock.time(work, 5)
    assert len(times.waited) == 5 and all(waited >= 0 for waited in times.waited)
    before = clock.waited_ns()
    assert before is not None and all(each >= 0 for each in before)
    clock.close()
    assert clock.waited_ns() is None


@LINUX
def test_the_machine_is_read() -> None:
    first, second = (CoreClock.machine() for _ in range(2))
    assert first is not None and second is not None
    assert all(later >= earlier for earlier, later in zip(first, second, strict=True))
