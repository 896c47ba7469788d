"""Commands that are told to stop: SIGTERM and SIGHUP end them as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from compresskit.cli.output import INTERRUPTED
from tests.pipeline.tiny import write_engine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")

PROFILE = "length = 8\ninterval_precision = 0.0001\nmin_runs = 100000\nmax_runs = 100000\nmax_seconds = 300\n"
PATIENCE_SECONDS = 120.0


def with_usual_signals() -> None:
    """Also where the tests run under nohup or in the background, where children ignore some of them."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def bench(folder: Path) -> subprocess.Popen[str]:
    """A bench that measures for minutes, in a process group of its own."""
    (folder / "long.toml").write_text(PROFILE)
    write_engine(folder / "engine")
    (folder / "temporary").mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "compresskit", "bench", "engine", "--profile", "long.toml"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=with_usual_signals,
        env={**os.environ, "TMPDIR": str(folder / "temporary"), "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The command's processes, once it has some that compute."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        children = psutil.Process(process.pid).children(recursive=True)
        if any(child.cpu_times().user > 0.5 for child in children):
            return children
        time.sleep(0.05)
    raise AssertionError("no worker has started")


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGINT"])
@pytest.mark.parametrize("whole_group", [False, True])
def test_a_stopped_command_ends_its_workers_and_leaves_nothing(
    tmp_path: Path, number: str, whole_group: bool
) -> None:
    process = bench(tmp_path)
    workers = workers_of(process)
    assert workers
    send = os.killpg if whole_group else os.kill
    send(process.pid, getattr(signal, number))
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == INTERRUPTED, err
    assert err.endswith("error: interrupted.\n")
    assert "Traceback" not in err
    assert out == ""
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    left = [*(tmp_path / "temporary").glob("compresskit-*"), *Path("/dev/shm").glob("compresskit-staged-*")]
    assert not [path for path in left if path.name.split("-")[2] == str(process.pid)]


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    from compresskit.cli.app import stop_as_interrupt

    before = signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM)
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup leaves it
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        stop_as_interrupt()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGHUP, before[0])
        signal.signal(signal.SIGTERM, before[1])
