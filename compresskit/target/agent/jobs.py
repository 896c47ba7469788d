"""The queue of jobs: one runs at a time, a known id is never run twice, results outlive their connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
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
    """One job and how far it is. `digest` is that of its body, `answer` what is told of its end."""

    id: str
    digest: str
    state: str = QUEUED
    answer: bytes = b""
    finished: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

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
    """All jobs of an agent. With `folder`, finished ones are kept there for the agent that follows."""

    def __init__(self, limits: Limits, folder: Path | None = None) -> None:
        self._limits = limits
        self._folder = folder
        self._held_bytes = 0
        self._finished: OrderedDict[str, Job] = OrderedDict()
        self._open: dict[str, Job] = {}
        self._queue: asyncio.Queue[tuple[Job, Work, Callable[[], None]]] = asyncio.Queue()
        if folder is not None:
            self._read_finished(folder)

    def find(self, job_id: str) -> Job | None:
        return self._open.get(job_id) or self._finished.get(job_id)

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def submit(self, job: Job, work: Work, release: Callable[[], None]) -> None:
        """Queue a job whose id is not known yet; `release` is called once it has ended, or cannot start."""
        assert self.find(job.id) is None
        if self.waiting >= self._limits.max_waiting:
            release()
            raise QueueFullError
        self._open[job.id] = job
        self._queue.put_nowait((job, work, release))

    async def run_forever(self) -> None:
        """Run what is queued, in order, each in a thread."""
        while True:
            job, work, release = await self._queue.get()
            job.state = RUNNING
            try:
                result = await asyncio.to_thread(work)
                job.end(DONE, result=result, error=None)
            except Exception as error:  # one job must never end the queue
                job.end(FAILED, result=None, error=describe(error))
            finally:
                release()
            self._open.pop(job.id)
            self._keep(job)
            if self._folder is not None:
                with contextlib.suppress(OSError):  # a full disk costs a repetition after a restart, no more
                    path = self._folder / f"{job.id}.json"
                    path.with_suffix(".part").write_bytes(job.answer)
                    path.with_suffix(".part").replace(path)

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
