"""What training has cost a run, in optimizer steps of the full network: `full_steps` in run.json."""

from __future__ import annotations

from compresskit.runs.directory import RunDirectory
from compresskit.runs.jsonl import read_records
from compresskit.runs.schema import ProgressLine


def note_full_steps(run: RunDirectory, stage: str, full_steps: float) -> None:
    """Write down what a stage has cost; a stage that is done again replaces what it was."""
    run.update(full_steps={**run.info.get("full_steps", {}), stage: round(full_steps, 3)})


def note_training(run: RunDirectory, stage: str) -> None:
    """The same for a stage of training that has just ended, from its own reports."""
    records, _ = read_records(run.supernet / "progress.jsonl", ProgressLine)
    found = [record.get("full_steps") for record in records if record["stage"] == stage]
    if found and found[-1] is not None:
        note_full_steps(run, stage, found[-1])
