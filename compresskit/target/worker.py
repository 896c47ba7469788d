"""The process in which graphs are loaded and timed: `python -m compresskit.target.worker`.

It reads requests from stdin and answers on stdout, one at a time. Sessions stand in named slots, so
that a reference outlives its candidates. It imports ONNX Runtime and numpy, never torch.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from compresskit.target.clock import CoreClock, counts_processor_time
from compresskit.target.frames import read_frame, write_frame
from compresskit.target.inputs import make_inputs
from compresskit.target.session import SessionSpec, make_session

Run = Callable[[], object]


@dataclass(frozen=True)
class _Slot:
    """A session, one run of it, and whether all of a run happens on the calling thread."""

    session: Any
    run: Run
    on_one_thread: bool


class Worker:
    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}
        self._clock = CoreClock()

    def answer(self, request: dict[str, Any], payload: bytes) -> dict[str, Any]:
        do = request["do"]
        if do == "configure":
            return configure(request["cores"], request["memory_limit_bytes"])
        if do == "load":
            return self._load(request, payload)
        if do == "run":
            return {"legs": [self._leg(slot, discard, runs) for slot, discard, runs in request["plan"]]}
        if do == "drop":
            self._slots.pop(request["slot"], None)
            gc.collect()
            return {}
        if do == "memory":
            return {"peak_memory_bytes": peak_memory_bytes()}
        raise ValueError(f"unknown request {do!r}")

    def _load(self, request: dict[str, Any], payload: bytes) -> dict[str, Any]:
        spec = SessionSpec.from_json(request["spec"])
        model = payload if request["path"] is None else Path(request["path"])
        slot = request["slot"]
        self._slots.pop(slot, None)
        inputs = make_inputs(spec.feeds)
        with tempfile.TemporaryDirectory() as folder:
            # Only where a node can land elsewhere is it worth asking each node where it ran.
            watched = len(spec.providers) > 1
            start = time.perf_counter()
            session = make_session(
                model, spec, profiling_prefix=str(Path(folder) / "nodes") if watched else None
            )
            run = bind(session, inputs, spec.device)
            run()
            seconds = time.perf_counter() - start
            nodes = count_nodes(Path(session.end_profiling())) if watched else {}
        on_one_thread = spec.threads == 1 and spec.providers[0][0] == "CPUExecutionProvider"
        self._slots[slot] = _Slot(session, run, on_one_thread and counts_processor_time())
        self._clock.refresh()
        return {"first_run_ms": seconds * 1e3, "nodes": nodes}

    def _leg(self, slot: str, discard: int, runs: int) -> dict[str, Any]:
        one = self._slots[slot]
        begun = self._clock.machine()
        for _ in range(discard):
            one.run()
        start = time.perf_counter_ns()
        times = self._clock.time(one.run, runs)
        leg: dict[str, Any] = {"slot": slot, "at_s": (start + time.perf_counter_ns()) / 2e9}
        ended = self._clock.machine()
        leg |= {
            "waited_ms": times.waited,
            "machine_s": None if begun is None or ended is None else begun + ended,
        }
        if one.on_one_thread:
            return {**leg, "samples_ms": times.cpu, "wall_ms": times.wall}
        return {**leg, "samples_ms": times.wall, "wall_ms": []}


def bind(session: Any, inputs: dict[str, Any], device: str) -> Run:
    """One run as a call. On a GPU inputs and outputs stay there, and a run ends when it has finished."""
    if device == "cpu":
        return lambda: session.run(None, inputs)
    import onnxruntime as ort

    number = int(session.get_provider_options()[session.get_providers()[0]].get("device_id", 0))
    binding = session.io_binding()
    for name, array in inputs.items():
        binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(array, device, number))
    for output in session.get_outputs():
        binding.bind_output(output.name, device, number)

    def run() -> None:
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    return run


def count_nodes(profile: Path) -> dict[str, int]:
    """Nodes that ran on each provider, from ONNX Runtime's own profile of one run."""
    events = json.loads(profile.read_text())
    ran = {
        (event["name"], event["args"]["provider"])
        for event in events
        if event.get("cat") == "Node" and event.get("args", {}).get("provider")
    }
    return dict(Counter(provider for _, provider in ran))


def configure(cores: list[int], memory_limit_bytes: int | None) -> dict[str, Any]:
    """Pin and bound this process; tells what ONNX Runtime is here."""
    import onnxruntime as ort

    if cores:
        usable = sorted(os.sched_getaffinity(0))
        if absent := sorted(set(cores) - set(usable)):
            raise ValueError(
                f"cores {', '.join(map(str, absent))} of the profile are not there; permitted: "
                f"{', '.join(map(str, usable))}"
            )
        os.sched_setaffinity(0, cores)
    if memory_limit_bytes is not None and sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + memory_limit_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return {"onnxruntime": ort.__version__, "providers": ort.get_available_providers(), "pid": os.getpid()}


def peak_memory_bytes() -> int | None:
    """Most physical memory this process has held; None where the system does not say."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: on Linux its figure is inherited from the parent.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    return None


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer until the stream of requests ends; a request that fails is answered with its error."""
    worker = Worker()
    while (frame := read_frame(requests)) is not None:
        request, payload = frame
        try:
            reply: dict[str, Any] = {"error": None, **worker.answer(request, payload)}
        except Exception as error:  # whatever ONNX Runtime raises belongs to the graph, not to us
            reply = {"error": f"{error}"[:2000] or type(error).__name__, "kind": type(error).__name__}
        del payload, frame
        write_frame(replies, reply)


def leave_with(parent: int) -> None:
    """End this process when its parent is gone, even from inside a run that never returns."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def ignore_stops() -> None:
    """Ctrl-C and SIGTERM may come to all processes of a group; they are the parent's to answer."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def open_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Requests and replies of a process that ends with its parent, and leaves signals to it."""
    ignore_stops()
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not break into the replies
    threading.Thread(target=leave_with, args=(os.getppid(),), daemon=True).start()
    return requests, replies


def main() -> None:
    pipes = open_pipes()
    gc.disable()
    serve(*pipes)


if __name__ == "__main__":
    main()
