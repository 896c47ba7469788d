"""A search or an export in a process of its own, for tests to break off."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from compresskit.pipeline.export import export
from compresskit.pipeline.search import search
from compresskit.training import progress
from tests.pipeline.make import settings_for
from tests.pipeline.quick import quickened


def run_job(job: dict[str, Any], stderr: Connection) -> None:
    """Tell every step on `stderr`; where `halt_at` has been said, wait for the end that is on its way."""
    os.dup2(stderr.fileno(), sys.stderr.fileno())
    stderr.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
    torch.set_num_threads(1)
    progress.REPORT_EVERY_SECONDS = 0.0

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
        if job["halt_at"] and job["halt_at"] in line:
            time.sleep(3600)

    run = Path(job["run"])
    with quickened():
        if job["engine"] is None:
            search_once(run, job["inputs"], job["changes"], say)
        else:
            export(run, Path(job["engine"]), pareto_idx=0, finetune_epochs=1.0, say=say)


def search_once(run: Path, inputs: str | None, changes: dict[str, Any], say: Callable[[str], None]) -> None:
    """A new search, with a checkpoint after every step, or without `inputs` the one in `run` resumed."""
    progress.SAVE_EVERY_SECONDS = 0.0
    settings = None if inputs is None else settings_for(Path(inputs), **changes)
    search(settings, run, resume=inputs is None, say=say)
