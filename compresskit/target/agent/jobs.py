"""The queue of jobs: one runs at a time, a known id is never run twice, results outlive their connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compresskit.errors import CompresskitError
from compresskit.exhausted import is_out_of_memory
from compresskit.target.agent.checks import GraphRefusedError
from compresskit.target.agent.graphs import MissingGraphError
from compresskit.target.agent.guard import CutOffError
from compresskit.target.agent.limits import Limits
from compresskit.target.agent.protocol import (
    DONE,
    FAILED,
    MEMORY,
    MISSING,
    OTHER,
    QUEUED,
    REFUSED,
    RUNNING,
    is_job_id,
)

Work = Callable[[], Mapping[str, Any]]


class QueueFullError(Exception):
    """As many jobs wait as the agent holds."""


@dataclass
class Job:
    """One job and how far it is. `digest` is that of its body, `answer` its result.

    `askers` are requests that wait for it now, `asked_at` is when the last one came or went. `stopped`:
    nobody asked for so long that its work is being ended, and its id is free again.
    """

    id: str
    digest: str
    state: str = QUEUED
    answer: bytes = b""
    finished: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    askers: int = 0
    asked_at: float = field(default_factory=time.monotonic)
    stopped: bool = False

    @contextlib.contextmanager
    def asked(self) -> Iterator[None]:
        """Somebody wants to know of it, as long as the block runs."""
        self.askers += 1
        try:
            yield
        finally:
            self.askers -= 1
            self.asked_at = time.monotonic()

    def is_abandoned(self, seconds: float) -> bool:
        """Whether nobody has asked for so long."""
        return not self.askers and time.monotonic() - self.asked_at > seconds

    def end(self, state: str, *, result: Mapping[str, Any] | None, error: Mapping[str, str] | None) -> None:
        self.state = state
        value = {"id": self.id, "digest": self.digest, "state": state, "result": result, "error": error}
        self.answer = json.dumps(value).encode()  # a tenth of what the objects take
        self.finished.set()

    @classmethod
    def ended(cls, answer: bytes) -> Job:
        """The job that an earlier agent gave this answer to."""
        value = json.loads(answer)
        job = cls(value["id"], value["digest"])
        job.end(value["state"], result=value["result"], error=value["error"])
        return job


class Jobs:
    """All jobs of an agent. With `folder`, finished ones are kept there for the agent that follows.

    A job that nobody asks for any more is dropped: one that waits at once, the one under way once `stop`
    has made its work fail. A client that comes back gets the answer that its id is unknown, and sends the
    job again.
    """

    def __init__(
        self, limits: Limits, folder: Path | None = None, *, stop: Callable[[], None] = lambda: None
    ) -> None:
        self._limits = limits
        self._folder = folder
        self._stop = stop
        self._held_bytes = 0
        self._finished: OrderedDict[str, Job] = OrderedDict()
        self._open: dict[str, Job] = {}
        self._queue: deque[tuple[Job, Work, Callable[[], None]]] = deque()
        self._arrived = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None
        if folder is not None:
            self._read_finished(folder)

    def find(self, job_id: str) -> Job | None:
        return self._open.get(job_id) or self._finished.get(job_id)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def submit(self, job: Job, work: Work, release: Callable[[], None]) -> None:
        """Queue a job whose id is not known yet; `release` is called once it has ended, or cannot start."""
        assert self.find(job.id) is None
        if self.waiting >= self._limits.max_waiting:
            release()
            raise QueueFullError
        self._open[job.id] = job
        self._queue.append((job, work, release))
        self._arrived.set()

    async def run_forever(self) -> None:
        """Run what is queued, in order, each in a thread."""
        while True:
            await self._arrived.wait()
            self._drop_abandoned()
            if self._queue:
                await self._run(*self._queue.popleft())
            if not self._queue:
                self._arrived.clear()

    async def _run(self, job: Job, work: Work, release: Callable[[], None]) -> None:
        job.state = RUNNING
        watch = asyncio.create_task(self._watch(job))
        try:
            result = await asyncio.to_thread(work)
            job.end(DONE, result=result, error=None)
        except Exception as error:  # one job must never end the queue
            job.end(FAILED, result=None, error=describe(error))
        finally:
            watch.cancel()
            release()
        if self._stopping is not None:
            await self._stopping  # what is on its way to this job must not meet the next
            self._stopping = None
        if job.stopped:
            return
        self._open.pop(job.id)
        self._keep(job)
        if self._folder is not None:
            with contextlib.suppress(OSError):  # a full disk costs a repetition after a restart, no more
                path = self._folder / f"{job.id}.json"
                path.with_suffix(".part").write_bytes(job.answer)
                path.with_suffix(".part").replace(path)

    async def _watch(self, running: Job) -> None:
        """Drop what is abandoned, and stop the job under way when it is."""
        while True:
            await asyncio.sleep(min(1.0, self._limits.client_seconds / 4))
            self._drop_abandoned()
            if running.stopped or running.is_abandoned(self._limits.client_seconds):
                if not running.stopped:
                    running.stopped = True
                    del self._open[running.id]
                self._stopping = asyncio.create_task(asyncio.to_thread(self._stop))
                await asyncio.wait({self._stopping})

    def _drop_abandoned(self) -> None:
        """Of the jobs that wait; their ids are unknown from now on."""
        for item in [each for each in self._queue if each[0].is_abandoned(self._limits.client_seconds)]:
            job, _, release = item
            self._queue.remove(item)
            del self._open[job.id]
            release()

    def _keep(self, job: Job) -> None:
        """Add a finished job; the oldest make room."""
        self._finished[job.id] = job
        self._held_bytes += len(job.answer)
        while len(self._finished) > 1 and (
            len(self._finished) > self._limits.max_results or self._held_bytes > self._limits.result_bytes
        ):
            oldest, gone = self._finished.popitem(last=False)
            self._held_bytes -= len(gone.answer)
            if self._folder is not None:
                (self._folder / f"{oldest}.json").unlink(missing_ok=True)

    def _read_finished(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        paths = [path for path in folder.glob("*.json") if is_job_id(path.stem)]
        for path in sorted(paths, key=os.path.getmtime):
            job = _read_job(path)
            if job is not None:
                self._keep(job)


def _read_job(path: Path) -> Job | None:
    """The finished job in a file; None for a file that a crash has cut short."""
    try:
        return Job.ended(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def describe(error: Exception) -> dict[str, str]:
    """A failure as the client gets it: its kind and what to do."""
    if isinstance(error, GraphRefusedError):
        return {"kind": REFUSED, "message": str(error)}
    if isinstance(error, MissingGraphError):
        return {"kind": MISSING, "message": str(error)}
    if isinstance(error, CutOffError):
        return {"kind": error.limit, "message": str(error)}
    if is_out_of_memory(error):
        return {"kind": MEMORY, "message": f"memory ran out on the agent: {str(error)[:500]}"}
    if isinstance(error, CompresskitError):
        return {"kind": OTHER, "message": str(error)}
    return {"kind": OTHER, "message": f"unexpected {type(error).__name__} on the agent: {str(error)[:500]}"}
