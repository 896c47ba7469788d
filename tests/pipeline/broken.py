"""Searches and exports in processes of their own, killed or interrupted where they say something."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, TextIO

from tests.pipeline.job import run_job

_PATIENCE_SECONDS = 900.0  # of tests: many times what anything takes that goes well
# A process that has imported torch and transformers, and computed nothing, is forked for each job.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.pipeline.job"])


@dataclass(frozen=True)
class Job:
    """A search in `run`, a new one on `inputs` with `changes` of settings, else the resumed one.

    With `engine`, an export of the run's fastest point, fine-tuned, to that folder.
    """

    run: Path
    inputs: Path | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    engine: Path | None = None

    @contextmanager
    def start(self, halt_at: str = "") -> Iterator[tuple[ForkServerProcess, TextIO]]:
        """Run it: its process, ended when the block ends, and what it says on stderr.

        It goes no further than where it says `halt_at`.
        """
        reader, writer = _SERVER.Pipe(duplex=False)
        process = _SERVER.Process(target=run_job, args=({**asdict(self), "halt_at": halt_at}, writer))
        process.start()
        writer.close()
        try:
            with reader, os.fdopen(os.dup(reader.fileno()), encoding="utf-8") as said:
                yield process, said
        finally:
            process.join(_PATIENCE_SECONDS)


def kill_at(words: str, job: Job) -> None:
    """SIGKILL where `words` are said."""
    with job.start(words) as (process, said):
        _read_until(words, said)
        process.kill()
    assert process.exitcode == -signal.SIGKILL


def interrupt_at(words: str, job: Job) -> None:
    """Ctrl-C where `words` are said."""
    with job.start(words) as (process, said):
        _read_until(words, said)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGINT)
        rest = said.read()
    assert process.exitcode not in (0, None), rest


def finish(job: Job) -> str:
    """Run it to its end; all that it said."""
    with job.start() as (process, said):
        text = said.read()
    assert process.exitcode == 0, text
    return text


def _read_until(words: str, said: TextIO) -> None:
    lines = []
    for line in said:
        lines.append(line)
        if words in line:
            return
    raise AssertionError(f"{words!r} was never said, but:\n{''.join(lines)}")
