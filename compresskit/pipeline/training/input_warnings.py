"""What a user should know about data and checkpoint before a long training."""

from __future__ import annotations

from collections.abc import Iterator

from compresskit.pipeline.training.models import Checkpoint
from compresskit.tasks.task import Task

FEW_ROWS = 400  # below it a metric of one half is known to five points at best
MUCH_UNKNOWN = 0.2  # of the tokens


def cautions(task: Task, checkpoint: Checkpoint) -> Iterator[str]:
    """Warnings, most important first."""
    rows = len(task.validation.labels)
    if rows < FEW_ROWS:
        yield (
            f"only {rows} validation rows: {task.kind.resolution(rows)}. Smaller losses cannot be "
            "seen; more labelled rows help."
        )
    unknown = _unknown_share(task, checkpoint.tokenizer.unk_token_id)
    if unknown > MUCH_UNKNOWN:
        yield (
            f"{unknown:.0%} of the tokens of the texts are unknown to the tokenizer "
            f"({checkpoint.tokenizer.unk_token}): is it the model's own, and of the language of the data?"
        )


def _unknown_share(task: Task, unknown: int | None) -> float:
    ids = [token for row in task.search.encoded for token in task.inputs.flat(row)]
    return 0.0 if unknown is None else ids.count(unknown) / max(len(ids), 1)
