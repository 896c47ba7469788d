"""What a user should know of data and checkpoint before time is spent on them."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from compresskit.pipeline.training.models import Checkpoint
from compresskit.tasks.metrics import CLASSIFICATION
from compresskit.tasks.task import Task

FEW_ROWS = 400  # below it a metric of one half is known to five points at best
MUCH_UNKNOWN = 0.2  # of the tokens
_NORMAL = 1.96  # 95 % of a normal distribution


def cautions(task: Task, checkpoint: Checkpoint) -> Iterator[str]:
    """Warnings, most important first."""
    rows = len(task.validation)
    if rows < FEW_ROWS:
        yield (
            f"only {rows} validation rows: {_resolution(task.metric_name, rows)}. Smaller losses cannot be "
            "told from none; more labelled rows help."
        )
    unknown = _unknown_share(task, checkpoint.tokenizer.unk_token_id)
    if unknown > MUCH_UNKNOWN:
        yield (
            f"the tokenizer knows nothing of {unknown:.0%} of the tokens of the texts "
            f"({checkpoint.tokenizer.unk_token}): is it the model's own, and of the language of the data?"
        )


def _resolution(metric: str, rows: int) -> str:
    """What one row is worth, and the half-width of a 95 % interval where it is widest."""
    if metric not in CLASSIFICATION:
        width = _NORMAL / sqrt(max(rows - 3, 1))  # Fisher's z at no correlation
        return f"a correlation is known to {min(width, 1.0):.2f} either way at worst (95 %)"
    row, width = 100 / rows, 100 * _NORMAL * 0.5 / sqrt(rows)
    return (
        f"one row is {row:.1f} points, and accuracy is known to {width:.0f} points either way at worst (95 %)"
    )


def _unknown_share(task: Task, unknown: int | None) -> float:
    ids = [token for row in task.search.encoded for token in row["input_ids"]]
    return 0.0 if unknown is None else ids.count(unknown) / max(len(ids), 1)
