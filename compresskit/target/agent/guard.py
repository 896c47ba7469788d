"""The guarded process as the agent sees it: requests with a time limit, a new process after a crash."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO, cast

import psutil

import compresskit
from compresskit.errors import TargetError
from compresskit.exhausted import is_out_of_memory
from compresskit.target.agent.checks import GraphRefusedError
from compresskit.target.frames import read_frame, write_frame

_LOOK_SECONDS = 0.2


class CutOffError(TargetError):
    """A request went past its memory or time, or brought its process down; `limit` says which."""

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message)
        self.limit = limit


class Guard:
    """One guarded process at a time, started when it is first needed.

    With `limit_addresses` the system itself refuses it memory beyond `memory_bytes`. Without (a GPU's
    driver maps far more than it uses), and beyond Linux, it and its children are looked at from time to
    time.
    """

    def __init__(self, memory_bytes: int, *, limit_addresses: bool = True) -> None:
        self._memory_bytes = memory_bytes
        self._limit_addresses = limit_addresses and sys.platform == "linux"
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: queue.Queue[dict[str, Any] | None] = queue.Queue()

    def request(self, header: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The process's answer.

        Raises GraphRefusedError when the graph was looked at and refused, CutOffError past a limit,
        TargetError for any other failure.
        """
        if self._process is None or self._process.poll() is not None:
            self._start()
            limit = self._memory_bytes if self._limit_addresses else None
            self._exchange({"do": "configure", "memory_limit_bytes": limit}, 60.0)
        return self._exchange(header, seconds)

    def close(self) -> None:
        """End the process; harmless when there is none. A request under way raises CutOffError."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                cast(BinaryIO, pipe).close()

    def _start(self) -> None:
        self.close()
        root = str(Path(compresskit.__file__).parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            [sys.executable, "-m", "compresskit.target.agent.guarded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
        )
        self._process, self._replies = process, queue.Queue()
        pipe = cast(BinaryIO, process.stdout)
        threading.Thread(target=_listen, args=(pipe, self._replies), daemon=True).start()

    def _exchange(self, header: dict[str, Any], seconds: float) -> dict[str, Any]:
        process = self._process
        assert process is not None
        try:
            write_frame(cast(BinaryIO, process.stdin), header)
            reply = self._await(header["do"], process.pid, seconds)
        except (OSError, ValueError):
            reply = None
        if reply is None:
            self.close()
            raise CutOffError("crash", f"the process that looked into the graph died during {header['do']}.")
        if reply["error"] is None:
            return reply
        if reply["kind"] == "GraphRefusedError":
            raise GraphRefusedError(reply["error"])
        self.close()  # whatever state that left, the next request shall not meet it
        if is_out_of_memory(f"{reply['kind']} {reply['error']}"):
            raise CutOffError("memory", f"{header['do']} went past the memory limit and was stopped.")
        raise TargetError(f"{header['do']} failed: {reply['error']}")

    def _await(self, what: str, pid: int, seconds: float) -> dict[str, Any] | None:
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            with contextlib.suppress(queue.Empty):
                return self._replies.get(timeout=max(min(left, _LOOK_SECONDS), 0.001))
            if time.monotonic() >= deadline:
                self.close()
                raise CutOffError("time", f"{what} took longer than {seconds:g} s and was stopped.")
            if not self._limit_addresses and _held_bytes(pid) > self._memory_bytes:
                self.close()
                raise CutOffError("memory", f"{what} went past the memory limit and was stopped.")


def _held_bytes(pid: int) -> int:
    """Memory of a process and its children."""
    held = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            held += each.memory_info().rss
    return held


def _listen(pipe: BinaryIO, replies: queue.Queue[dict[str, Any] | None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while (frame := read_frame(pipe)) is not None:
            replies.put(frame[0])
    replies.put(None)
