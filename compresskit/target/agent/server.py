"""The agent's HTTP side: routes, statuses and their order. What a job does is in `bench.py`.

    GET  /v1/info                what ONNX Runtime and the host are here
    POST /v1/KIND                a job (see protocol.py): 202, and 200 or 422 when its id has ended already
    GET  /v1/KIND/ID?wait=20     200 done, 202 not yet (waits up to so many seconds), 422 failed, 404 unknown

A job whose client has not asked for it for a minute is dropped, and its id is unknown again: a client that
was only cut off sends it once more.

401 token, 408 slow body, 411 length missing, 413 too large, 409 id used for something else,
422 not permitted, 429 queue full (with Retry-After), 503 no space (with Retry-After).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from compresskit import __version__
from compresskit.errors import CompresskitError
from compresskit.target.agent.auth import TokenRequired
from compresskit.target.agent.bench import Bench
from compresskit.target.agent.drain import Drained
from compresskit.target.agent.jobs import Job, Jobs, QueueFullError
from compresskit.target.agent.limits import Limits
from compresskit.target.agent.protocol import DONE, FAILED, KINDS, PROTOCOL, read_request
from compresskit.target.agent.spool import BodyError, Spool

_LONGEST_WAIT_SECONDS = 30.0
_ENDED = {DONE: 200, FAILED: 422}


def make_app(token: str, limits: Limits, scratch: Path, *, state: Path | None = None) -> Starlette:
    """The application. `scratch` holds bodies and graphs while they are needed, `state` finished jobs."""
    agent = Agent(limits, scratch, state)
    return Starlette(
        routes=[
            Route("/v1/info", agent.info, methods=["GET"]),
            Route("/v1/{kind}", agent.submit, methods=["POST"]),
            Route("/v1/{kind}/{id}", agent.look, methods=["GET"]),
        ],
        middleware=[Middleware(Drained, limits=limits), Middleware(TokenRequired, token=token)],
        lifespan=agent.lifespan,
    )


class Agent:
    def __init__(self, limits: Limits, scratch: Path, state: Path | None) -> None:
        self._limits = limits
        self._scratch = scratch
        self._state = state
        self._spool = Spool(scratch, limits)
        self._bench = Bench(limits, scratch)

    @contextlib.asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._jobs = Jobs(self._limits, self._state, stop=self._bench.stop_job)
        self._facts = await asyncio.to_thread(self._bench.facts)
        runner = asyncio.create_task(self._jobs.run_forever())
        try:
            yield
        finally:
            runner.cancel()
            self._bench.close()

    async def info(self, _: Request) -> Response:
        return JSONResponse(
            {
                "protocol": PROTOCOL,
                "compresskit": __version__,
                "memory_limit_bytes": self._limits.memory_bytes,
                "body_limit_bytes": self._limits.body_bytes,
                "waiting": self._jobs.waiting,
                **self._facts,
            }
        )

    async def submit(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in KINDS:
            return _failure(404, "unknown", f"no such job: {kind[:40]!r}; permitted: {', '.join(KINDS)}.")
        if self._jobs.waiting >= self._limits.max_waiting:
            return _queue_full()
        try:
            body = await self._spool.receive(request)
        except BodyError as error:
            return _failure(error.status, error.kind, str(error), error.retry_after_seconds)
        kept = False
        try:
            asked = read_request(body.path)
            known = self._jobs.find(asked.id)
            if known is not None:
                if known.digest != body.digest:
                    return _failure(409, "id", "this id is that of another job; choose a new one.")
                with known.asked():
                    return _status_of(known)
            work = self._bench.plan(kind, asked, body.path)
            job = Job(asked.id, body.digest)
            kept = True
            self._jobs.submit(job, work, lambda: self._spool.release(body))
            return _status_of(job)
        except CompresskitError as error:
            return _failure(422, "refused", str(error))
        except QueueFullError:
            return _queue_full()
        finally:
            if not kept:
                self._spool.release(body)

    async def look(self, request: Request) -> Response:
        job = self._jobs.find(request.path_params["id"])
        if job is None or request.path_params["kind"] not in KINDS:
            return _failure(404, "unknown", "no job has this id here; send it again.")
        with job.asked():
            await _until_ended(job, request, _seconds(request.query_params.get("wait", "0")))
        return _status_of(job)


async def _until_ended(job: Job, request: Request, seconds: float) -> None:
    """Return when the job has ended, the client has gone, or the time is over."""
    ended, gone = asyncio.create_task(job.finished.wait()), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({ended, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(text)
        if value >= 0:
            return min(value, _LONGEST_WAIT_SECONDS)
    return 0.0


def _status_of(job: Job) -> Response:
    if job.state in _ENDED:
        return Response(job.answer, _ENDED[job.state], media_type="application/json")
    return JSONResponse({"id": job.id, "state": job.state, "result": None, "error": None}, status_code=202)


def _queue_full() -> Response:
    return _failure(429, "busy", "the queue of this agent is full; try again.", retry_after_seconds=5)


def _failure(status: int, kind: str, message: str, retry_after_seconds: int | None = None) -> Response:
    """An answer that carries no result. The connection ends with it: more of its body may be on the way."""
    headers = {"Connection": "close"}
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    return JSONResponse({"error": {"kind": kind, "message": message}}, status_code=status, headers=headers)
