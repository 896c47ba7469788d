from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.distributed_worker import ROWS


def launch(folder: Path, strategy: str, processes: int) -> list[dict[str, Any]]:
    """What each rank saved; the ranks share the same rows, whatever their number."""
    launcher = [
        "accelerate.commands.launch",
        "--multi_gpu",  # the launcher's word for more than one process; there is none for CPUs
        f"--num_processes={processes}",
        "--num_machines=1",
        "--mixed_precision=no",
        "--dynamo_backend=no",
        "--main_process_port=0",
        "-m",
        "tests.training.distributed_worker",
    ]
    if processes == 1:
        launcher = launcher[-1:]
    command = [sys.executable, "-m", *launcher, str(folder), strategy, str(ROWS // processes)]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(folder / f"{processes}-{rank}.pt") for rank in range(processes)]


@pytest.mark.parametrize("strategy", ["full", "teacher"])
def test_two_ranks_equal_one_process_on_the_joined_batch(tmp_path: Path, strategy: str) -> None:
    first, second = launch(tmp_path, strategy, 2)
    (alone,) = launch(tmp_path, strategy, 1)
    assert first["drawn"] == second["drawn"] == alone["drawn"]
    assert len(set(first["drawn"])) > 10
    for name, value in first["parameters"].items():
        assert torch.equal(value, second["parameters"][name]), name
        # Adam makes much of rounding where a gradient is nearly 0: a third of one update, after 45 of them.
        torch.testing.assert_close(value, alone["parameters"][name], rtol=0, atol=3e-5)
