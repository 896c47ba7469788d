"""The worker process as its owner sees it: requests with time and memory limits, killed when they pass."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import compresskit
from compresskit.errors import TargetError
from compresskit.exhausted import is_out_of_memory
from compresskit.target.base import Model
from compresskit.target.frames import read_frame, write_frame
from compresskit.target.leg import Leg
from compresskit.target.session import SessionSpec
from compresskit.target.timer import Step

_POLL_SECONDS = 0.05
_LAST_SECONDS = 1.0
_KILLED = 9  # SIGKILL, which not every system has by name
_START_SECONDS = 120.0  # to start and load ONNX Runtime: no graph's fault, however slow the machine


class Child:
    """A running worker. Once a request has raised TargetError with `alive` False, it is gone.

    `memory_limit_bytes` bounds what it holds beyond ONNX Runtime itself, `timeout_seconds` one request
    after the start.
    """

    def __init__(
        self,
        *,
        cores: Sequence[int] = (),
        memory_limit_bytes: int | None = None,
        limit_addresses: bool = True,
        timeout_seconds: float = 120.0,
    ) -> None:
        self._memory_limit_bytes = memory_limit_bytes
        self._timeout_seconds = _START_SECONDS
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        root = str(Path(compresskit.__file__).parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "compresskit.target.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
        )
        self._replies: queue.Queue[tuple[dict[str, Any], bytes] | None] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._base_bytes = 0
        try:
            limit = memory_limit_bytes if limit_addresses else None
            self.facts = self.request(
                {"do": "configure", "cores": list(cores), "memory_limit_bytes": limit},
            )
            self._base_bytes = self._memory_bytes()
            self._timeout_seconds = timeout_seconds
        except BaseException:
            self.kill()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def load(self, slot: str, model: Model, spec: SessionSpec) -> dict[str, Any]:
        """Session and first run of `model` in `slot`: its `first_run_ms` and the `nodes` per provider."""
        path = None if isinstance(model, bytes) else str(model.resolve())
        request = {"do": "load", "slot": slot, "path": path, "spec": spec.to_json()}
        return self.request(request, model if isinstance(model, bytes) else b"")

    def run(self, plan: Sequence[Step]) -> list[Leg]:
        steps = [[step.slot, step.discard, step.runs] for step in plan]
        reply = self.request({"do": "run", "plan": steps})
        times = ("samples_ms", "wall_ms", "waited_ms", "machine_s")
        return [
            Leg(leg["slot"], leg["at_s"], *(tuple(leg[name] or ()) for name in times))
            for leg in reply["legs"]
        ]

    def drop(self, slot: str) -> None:
        self.request({"do": "drop", "slot": slot})

    def peak_memory_bytes(self) -> int | None:
        value = self.request({"do": "memory"})["peak_memory_bytes"]
        return None if value is None else int(value)

    def request(self, header: dict[str, Any], payload: bytes = b"") -> dict[str, Any]:
        """The worker's answer. Raises TargetError with its error, or when it died or passed a limit."""
        assert self._process.stdin is not None
        if not self.alive and self._errors.closed:
            raise TargetError("the worker was stopped before; start another.")
        try:
            write_frame(self._process.stdin, header, payload)  # type: ignore[arg-type]
        except OSError:
            raise TargetError(self._obituary(header)) from None
        reply = self._await(header)
        if reply["error"] is not None:
            what, reason = header["do"], reply["error"]
            if is_out_of_memory(f"{reply.get('kind')} {reason}"):
                raise TargetError(
                    f"{what} ran out of memory on the target ({reason}); use a smaller graph, batch or "
                    "length, or free memory there."
                )
            raise TargetError(f"{what} failed on the target: {reason}")
        return reply

    def _await(self, header: dict[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + self._timeout_seconds
        while True:
            left = deadline - time.monotonic()
            wait = left if self._memory_limit_bytes is None else min(left, _POLL_SECONDS)
            try:
                frame = self._replies.get(timeout=max(wait, 0.001))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    self.kill()
                    raise TargetError(
                        f"{header['do']} took longer than the limit of {self._timeout_seconds:g} s and was "
                        "stopped; the graph is too slow for this target, or never ends."
                    ) from None
                self._check_memory(header)
                continue
            if frame is None:
                raise TargetError(self._obituary(header))
            return frame[0]

    def _check_memory(self, header: dict[str, Any]) -> None:
        limit = self._memory_limit_bytes
        held = self._memory_bytes() - self._base_bytes
        if limit is not None and self._base_bytes and held > limit:
            self.kill()
            raise TargetError(
                f"{header['do']} held {held / 2**20:.0f} MiB, more than the limit of "
                f"{limit / 2**20:.0f} MiB, and was stopped; use a smaller graph, batch or length."
            )

    def _memory_bytes(self) -> int:
        import psutil

        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def _listen(self) -> None:
        assert self._process.stdout is not None
        frame = None
        with contextlib.suppress(OSError, ValueError):
            while (frame := read_frame(self._process.stdout)) is not None:  # type: ignore[arg-type]
                self._replies.put(frame)
        self._replies.put(None)

    def _obituary(self, header: dict[str, Any]) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_SECONDS)  # its streams close before its status is there
        self._process.kill()
        code = self._process.wait()
        self._errors.seek(0)
        tail = self._errors.read()[-500:].decode(errors="replace").strip()
        self.kill()
        end = f"by signal {-code}" if code < 0 else f"with status {code}"
        if code == -_KILLED:
            end = f"{end}, by which the system ends a process when memory ran out,"
        return f"the worker ended {end} during {header['do']}; the graph crashed it." + (
            f" Its last output: {tail}" if tail else ""
        )

    def kill(self) -> None:
        """End the process; harmless when it has ended."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            if file is not None:
                with contextlib.suppress(OSError):  # what was on its way to a process that died
                    file.close()
