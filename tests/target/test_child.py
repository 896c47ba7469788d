from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from compresskit.errors import TargetError
from compresskit.target.child import Child
from compresskit.target.frames import read_frame, write_frame
from compresskit.target.profile import Profile
from compresskit.target.session import session_spec
from compresskit.target.timer import Step
from tests.target.graphs import chain, endless, hungry

PROFILE = Profile("p", length=16)


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child(timeout_seconds=60)
    yield made
    made.kill()


def read_all(stream: io.BytesIO) -> None:
    while read_frame(stream) is not None:
        pass


def test_frames_carry_headers_and_bytes() -> None:
    stream = io.BytesIO()
    write_frame(stream, {"do": "x", "text": "ü"}, b"\0\1")
    write_frame(stream, {})
    whole = stream.getvalue()
    stream.seek(0)
    assert read_frame(stream) == ({"do": "x", "text": "ü"}, b"\0\1")
    assert read_frame(stream) == ({}, b"")
    assert read_frame(stream) is None
    for cut in (3, 13, len(whole) // 2 + 4):
        with pytest.raises(ValueError, match="cut short"):
            read_all(io.BytesIO(whole[:cut]))
    with pytest.raises(ValueError, match="header of"):
        read_frame(io.BytesIO(b"\xff" * 12))


def test_slots_are_loaded_run_and_dropped(child: Child) -> None:
    model = chain()
    loaded = child.load("a", model, session_spec(model, PROFILE))
    assert loaded["first_run_ms"] > 0
    child.load("b", model, session_spec(model, PROFILE))
    legs = child.run([Step("a", 0, 3), Step("b", 2, 1), Step("a", 0, 2)])
    assert [(leg.slot, len(leg.samples_ms)) for leg in legs] == [("a", 3), ("b", 1), ("a", 2)]
    assert all(sample > 0 for leg in legs for sample in leg.samples_ms)
    assert [leg.at_s for leg in legs] == sorted(leg.at_s for leg in legs)
    child.drop("a")
    with pytest.raises(TargetError, match="run failed"):
        child.run([Step("a", 0, 1)])
    assert len(child.run([Step("b", 0, 1)])) == 1


def test_bad_graph_is_an_answer_not_a_crash(child: Child) -> None:
    model = chain()
    spec = session_spec(model, PROFILE)
    with pytest.raises(TargetError, match="load failed on the target"):
        child.load("a", b"not a graph", spec)
    with pytest.raises(TargetError, match="load failed"):
        child.load("a", chain(vocabulary=2), spec)
    assert child.alive
    child.load("a", model, spec)


def test_worker_knows_its_memory(child: Child) -> None:
    before = child.peak_memory_bytes()
    model = chain(width=1024, depth=4)
    child.load("a", model, session_spec(model, PROFILE))
    after = child.peak_memory_bytes()
    assert before is not None and after is not None
    assert after > before + 16 * 2**20
    # Its own, not what it inherits from the process that started it.
    assert before < 400 * 2**20


def test_killed_worker_is_an_error(child: Child) -> None:
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(TargetError, match="by signal 9, by which .* when memory ran out"):
        child.peak_memory_bytes()
    assert not child.alive


def test_endless_graph_is_stopped() -> None:
    child = Child(timeout_seconds=1.5)
    with pytest.raises(TargetError, match=r"longer than the limit of 1.5 s"):
        child.load("a", endless(), session_spec(endless(), PROFILE))
    assert not child.alive


def test_hungry_graph_is_refused_its_memory() -> None:
    child = Child(memory_limit_bytes=256 * 2**20, timeout_seconds=60)
    with pytest.raises(TargetError, match=r"ran out of memory|more than the limit of 256 MiB"):
        child.load("a", hungry(), session_spec(hungry(), PROFILE.with_(length=1)))
    child.kill()


def test_held_memory_is_watched() -> None:
    # Without the address limit, as on a GPU, the owner has to see it.
    child = Child(memory_limit_bytes=64 * 2**20, limit_addresses=False, timeout_seconds=60)
    with pytest.raises(TargetError, match="more than the limit of 64 MiB"):
        child.load("a", hungry(2**29), session_spec(hungry(), PROFILE.with_(length=1)))
    assert not child.alive


def test_worker_imports_no_torch_and_leaves_with_its_parent(child: Child) -> None:
    maps = {Path(entry.path).name for entry in psutil.Process(child.pid).memory_maps()}
    assert not any("torch" in name for name in maps)
    assert any("onnxruntime" in name for name in maps)
    code = (
        "from compresskit.target.child import Child\nimport os\n"
        "print(Child().pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    for _ in range(1000):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.1)
    raise AssertionError(f"worker {pid} outlived its parent")
