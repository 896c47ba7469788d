"""Processes that are killed or interrupted the moment they say something."""

from __future__ import annotations

import contextlib
import signal
import subprocess


def kill_at(process: subprocess.Popen[str], words: str) -> None:
    """SIGKILL the moment `words` are said."""
    with process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if words in line:
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL, f"{words!r} was never said, but:\n{''.join(said)}"


def interrupt_at(process: subprocess.Popen[str], words: str) -> None:
    """Ctrl-C the moment `words` are said, and again should it be lost in a callback of a library."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            break
    rest = ""
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            _, rest = process.communicate(timeout=0.5)
    assert process.returncode != 0, f"{words!r} was not said, or did not end it:\n{''.join(said)}{rest}"
