"""A search in several processes, as `accelerate launch` starts them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from compresskit.errors import ConfigurationError
from compresskit.pipeline.search import search
from compresskit.pipeline.training import ranks
from compresskit.runs import RunDirectory
from tests.pipeline.make import make_inputs, settings_for


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    make_inputs(tmp_path / "inputs", rows=120)
    return tmp_path / "inputs"


def test_all_processes_train_and_the_first_alone_searches(inputs: Path, tmp_path: Path) -> None:
    launcher = ["--multi_gpu", "--num_processes=2", "--num_machines=1", "--mixed_precision=no"]
    launcher += ["--dynamo_backend=no", "--main_process_port=0", "-m", "compresskit", "search"]
    options = {
        "--model": inputs / "model",
        "--dataset": inputs / "data",
        "--profile": inputs / "profile.toml",
        "--output": tmp_path / "run",
        "--searcher": "random",
        "--trials": 4,
        "--epochs": 1,
        "--parts": 4,
        "--batch-size": 8,
        "--max-length": 16,
        "--unit-multiple": 8,
    }
    words = [str(word) for option in options.items() for word in option]
    done = subprocess.run(
        [sys.executable, "-m", "accelerate.commands.launch", *launcher, *words, "--json"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env={**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count('"points"') == 1
    run = RunDirectory.open(tmp_path / "run")
    assert run.info["status"] == "completed"
    assert [record.trial_id for record in run.trials()] == list(range(4))
    # Each of two processes sees half of the rows, and so takes half of the steps of a process on its own.
    ended = re.findall(r"supernet-(\d): step (\d+) of \2 ", done.stderr)
    assert ended == [("1", "1"), ("2", "1"), ("3", "2"), ("4", "2")]


def test_a_method_that_trains_in_one_process_says_so(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigurationError, match="`accelerate launch` started 2 processes.*student"):
        search(settings_for(inputs, method="student"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_process_on_its_own_is_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "3")  # as some schedulers set it for a single process
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert ranks.is_first()
    ranks.check_processes("student")
    ranks.wait_for_all()
