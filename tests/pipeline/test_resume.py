"""Searches and exports that are killed or interrupted, and go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compresskit.pipeline.export import Choice, export
from compresskit.pipeline.search import search
from compresskit.runs import RunDirectory
from tests.pipeline.broken import interrupt_at, kill_at
from tests.pipeline.make import start

# Arguments: folder of the inputs, run, "new" or "resume". Checkpoints after every step.
SEARCH = """
import sys
from pathlib import Path
from typing import Any
import torch
import compresskit.training.progress as progress
from compresskit.pipeline.search import search
from tests.pipeline.broken import interrupt_at, kill_at
from tests.pipeline.make import settings_for
torch.set_num_threads(1)
progress.SAVE_EVERY_SECONDS = progress.REPORT_EVERY_SECONDS = 0.0
def say(line):
    print(line, file=sys.stderr, flush=True)
inputs, run, mode = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
search(settings_for(inputs) if mode == "new" else None, run, resume=mode == "resume", say=say)
"""

# Arguments: run, engine folder.
EXPORT = """
import sys
from pathlib import Path
import torch
import compresskit.training.progress as progress
from compresskit.pipeline.export import Choice, export
torch.set_num_threads(1)
progress.REPORT_EVERY_SECONDS = 0.0
def say(line):
    print(line, file=sys.stderr, flush=True)
export(Path(sys.argv[1]), Path(sys.argv[2]), Choice(pareto_idx=0), finetune_epochs=1.0, say=say)
"""


def test_killed_in_training_and_in_search_it_ends_as_an_unbroken_run_does(
    inputs: Path, run: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "run"
    kill_at(start(SEARCH, inputs, broken, "new"), "dense: step 8 ")
    kill_at(start(SEARCH, inputs, broken, "resume"), "supernet: step 9 ")
    kill_at(start(SEARCH, inputs, broken, "resume"), "trial 2:")
    process = start(SEARCH, inputs, broken, "resume")
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "dense: step 1 " not in said
    ended, unbroken = RunDirectory.open(broken).trials(), RunDirectory.open(run).trials()
    assert [record.trial_id for record in ended] == list(range(6))
    assert [record.architecture for record in ended] == [record.architecture for record in unbroken]
    np.testing.assert_allclose(
        [record.metric or 0 for record in ended], [record.metric or 0 for record in unbroken], atol=1e-9
    )
    signatures = [record["signature"] for record in RunDirectory.open(broken).latencies()]
    assert len(signatures) == len(set(signatures))


def test_interrupt_in_each_stage_leaves_a_run_that_goes_on(inputs: Path, tmp_path: Path) -> None:
    broken = tmp_path / "run"
    interrupt_at(start(SEARCH, inputs, broken, "new"), "dense: step 8 ")
    interrupt_at(start(SEARCH, inputs, broken, "resume"), "supernet: step 9 ")
    interrupt_at(start(SEARCH, inputs, broken, "resume"), "trial 1:")
    before = len(RunDirectory.open(broken).trials())
    assert before >= 2
    assert len(search(None, broken, resume=True).points) >= 1
    assert [record.trial_id for record in RunDirectory.open(broken).trials()] == list(range(6))


def test_interrupt_in_an_export_leaves_no_engine(run: Path, tmp_path: Path) -> None:
    for words in ("fine-tuning: step", "exporting and verifying"):
        interrupt_at(start(EXPORT, run, tmp_path / "engine"), words)
        assert list(tmp_path.iterdir()) == []
    assert export(run, tmp_path / "engine", Choice(pareto_idx=0)).num_params > 0
