"""Several processes of `accelerate launch`: all train, the first alone writes, measures and searches."""

from __future__ import annotations

import os
from typing import Any

from compresskit.errors import ConfigurationError
from compresskit.methods.names import NAS
from compresskit.runs.directory import RunDirectory


def num_processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the one that writes the run; so is a process on its own."""
    return num_processes() == 1 or int(os.environ.get("RANK", "0")) == 0


def check_processes(method: str) -> None:
    """Raise ConfigurationError where several processes were started for a method that trains in one."""
    if num_processes() > 1 and method != NAS:
        raise ConfigurationError(
            f"`accelerate launch` started {num_processes()} processes, but method {method} trains in one. "
            f"Start `compresskit search` without `accelerate launch`, or take --method {NAS}."
        )


def wait_for_all() -> None:
    """Return once all processes have come here."""
    if num_processes() > 1:
        import torch
        from accelerate import PartialState

        PartialState(cpu=not torch.cuda.is_available()).wait_for_everyone()


class WatchedRun(RunDirectory):
    """The run as the other processes have it: read from disk, and nothing is written."""

    def write_json(self, name: str, value: Any) -> None:
        pass
