"""Searches and exports in processes of their own, killed or interrupted where they say something."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_PATIENCE_SECONDS = 900.0  # of tests: many times what anything takes that goes well
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Job:
    """A search in `run`, a new one on `inputs` with `changes` of settings, else the resumed one.

    With `engine`, an export of the run's fastest point, fine-tuned, to that folder.
    """

    run: Path
    inputs: Path | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    engine: Path | None = None

    def start(self, halt_at: str = "") -> subprocess.Popen[str]:
        """Run it, its stderr on a pipe; it goes no further than where it says `halt_at`."""
        job = json.dumps({**asdict(self), "halt_at": halt_at}, default=str)
        return subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.job", job],
            stderr=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )


def kill_at(words: str, job: Job) -> None:
    """SIGKILL where `words` are said."""
    with job.start(words) as process:
        _read_until(words, process)
        process.kill()
    assert process.returncode == -signal.SIGKILL


def interrupt_at(words: str, job: Job) -> None:
    """Ctrl-C where `words` are said."""
    with job.start(words) as process:
        _read_until(words, process)
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode != 0, rest


def finish(job: Job) -> str:
    """Run it to its end; all that it said."""
    with job.start() as process:
        _, said = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode == 0, said
    return said


def _read_until(words: str, process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"{words!r} was never said, but:\n{''.join(said)}")
