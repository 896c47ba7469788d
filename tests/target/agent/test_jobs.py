from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from compresskit.errors import TargetError
from compresskit.target.agent.guard import CutOffError
from compresskit.target.agent.jobs import Job, Jobs, QueueFullError
from compresskit.target.agent.limits import Limits


def job(number: int) -> Job:
    return Job(f"{number:032x}", f"digest {number}")


def run(jobs: Jobs, works: Mapping[int, Any]) -> list[Job]:
    """Submit `works`, wait for all, and return their jobs."""

    async def all_of_them() -> list[Job]:
        runner = asyncio.create_task(jobs.run_forever())
        submitted = []
        for number, work in works.items():
            submitted.append(job(number))
            jobs.submit(submitted[-1], work, lambda: None)
        for each in submitted:
            await each.finished.wait()
        runner.cancel()
        return submitted

    return asyncio.run(all_of_them())


def fail_with(error: Exception) -> Any:
    def work() -> Mapping[str, Any]:
        raise error

    return work


def make_jobs(folder: Path | None = None, **changes: int) -> Jobs:
    return Jobs(Limits(**{"memory_bytes": 256 << 20, "max_waiting": 10, **changes}), folder)


def answer(job: Job) -> Any:
    return json.loads(job.answer)


def test_failures_are_told_and_the_queue_goes_on() -> None:
    done = run(
        make_jobs(),
        {
            1: fail_with(CutOffError("memory", "too much")),
            2: fail_with(TargetError("no such provider")),
            3: fail_with(ZeroDivisionError("ours")),
            4: lambda: {"median_ms": 1.0},
        },
    )
    assert [each.state for each in done] == ["failed", "failed", "failed", "done"]
    assert [answer(each)["error"]["kind"] for each in done[:3]] == ["memory", "failed", "failed"]
    assert answer(done[3])["result"] == {"median_ms": 1.0}


def test_one_at_a_time_in_order() -> None:
    seen: list[int] = []

    def work(number: int) -> Any:
        def body() -> Mapping[str, Any]:
            seen.append(number)
            assert len(seen) == number
            return {}

        return body

    run(make_jobs(), {number: work(number) for number in range(1, 6)})
    assert seen == [1, 2, 3, 4, 5]


def test_a_full_queue_releases_what_it_refuses() -> None:
    released: list[int] = []

    async def fill() -> None:
        jobs = make_jobs(max_waiting=2)
        for number in range(3):
            jobs.submit(job(number), dict, partial(released.append, number))

    with pytest.raises(QueueFullError):
        asyncio.run(fill())
    assert released == [2]


def test_results_outlive_a_restart_within_their_bound(tmp_path: Path) -> None:
    run(make_jobs(folder=tmp_path, max_results=2), {number: lambda: {"x": 1} for number in (1, 2, 3)})
    for number in (2, 3):
        os.utime(tmp_path / f"{number:032x}.json", (number, number))
    (tmp_path / f"{9:032x}.json").write_text('{"id": "cut sh')
    after = make_jobs(folder=tmp_path, max_results=5)
    assert after.find(job(1).id) is None
    assert after.find(job(9).id) is None
    found = after.find(job(3).id)
    assert found is not None
    assert (found.state, answer(found)["result"], found.finished.is_set()) == ("done", {"x": 1}, True)


def test_results_are_bounded_in_bytes() -> None:
    jobs = make_jobs(result_bytes=3000)
    done = run(jobs, {number: lambda: {"x": "y" * 1000} for number in range(1, 5)})
    assert [jobs.find(each.id) is not None for each in done] == [False, False, True, True]


def test_what_nobody_asks_for_is_dropped() -> None:
    """The job under way is stopped, one that waits never starts, and one that is asked for is done."""
    halt = threading.Event()
    released: list[int] = []
    started: list[int] = []

    def endless() -> Mapping[str, Any]:
        started.append(1)
        assert halt.wait(60)
        raise TargetError("stopped")

    def other(number: int) -> Any:
        def body() -> Mapping[str, Any]:
            started.append(number)
            return {}

        return body

    async def all_of_them() -> tuple[Jobs, list[Job]]:
        jobs = Jobs(Limits(memory_bytes=256 << 20, client_seconds=0.2), stop=halt.set)
        made = [job(number) for number in (1, 2, 3)]
        for number, work in enumerate((endless, other(2), other(3)), start=1):
            jobs.submit(made[number - 1], work, partial(released.append, number))
        runner = asyncio.create_task(jobs.run_forever())
        with made[2].asked():
            await asyncio.wait_for(made[2].finished.wait(), 60)
        runner.cancel()
        return jobs, made

    jobs, made = asyncio.run(all_of_them())
    assert started == [1, 3]
    assert sorted(released) == [1, 2, 3]
    assert [jobs.find(each.id) is not None for each in made] == [False, False, True]
    assert jobs.waiting == 0


def test_a_client_that_returns_while_its_job_is_stopped_sends_it_again(tmp_path: Path) -> None:
    """It learns nothing of the end that was made of it: that looks like a graph that broke the worker."""
    stopping, returned, halt = threading.Event(), threading.Event(), threading.Event()

    def stop() -> None:
        stopping.set()
        assert returned.wait(60)
        halt.set()

    def endless() -> Mapping[str, Any]:
        assert halt.wait(60)
        raise CutOffError("crash", "the worker ended")

    async def all_of_them() -> None:
        jobs = Jobs(Limits(memory_bytes=256 << 20, client_seconds=0.2), tmp_path, stop=stop)
        first, again = job(1), job(1)
        jobs.submit(first, endless, lambda: None)
        runner = asyncio.create_task(jobs.run_forever())
        assert await asyncio.to_thread(stopping.wait, 60)
        assert jobs.find(first.id) is None
        with first.asked(), again.asked():
            jobs.submit(again, lambda: {"x": 1}, lambda: None)
            returned.set()
            await asyncio.wait_for(again.finished.wait(), 60)
        assert jobs.find(first.id) is again
        assert (first.state, answer(again)["result"]) == ("failed", {"x": 1})
        runner.cancel()

    asyncio.run(all_of_them())


def test_a_job_that_is_asked_for_is_never_dropped() -> None:
    halt = threading.Event()

    async def slowly() -> Job:
        jobs = Jobs(Limits(memory_bytes=256 << 20, client_seconds=0.1), stop=halt.set)
        made = job(1)
        jobs.submit(made, lambda: {"stopped": halt.wait(0.5)}, lambda: None)
        runner = asyncio.create_task(jobs.run_forever())
        with made.asked():
            await made.finished.wait()
        runner.cancel()
        return made

    assert answer(asyncio.run(slowly()))["result"] == {"stopped": False}


def test_memory_that_ran_out_is_named() -> None:
    done = run(make_jobs(), {1: fail_with(MemoryError()), 2: fail_with(RuntimeError("std::bad_alloc"))})
    assert [answer(each)["error"]["kind"] for each in done] == ["memory", "memory"]
