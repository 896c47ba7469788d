"""What a user should know about data and checkpoint before a long training."""

from __future__ import annotations

from collections.abc import Iterator

from compresskit.data.units import units_of
from compresskit.pipeline.training.models import Checkpoint
from compresskit.tasks.task import Task

FEW_ROWS = 400  # below it a metric of one half is known to five points at best
MUCH_UNKNOWN = 0.2  # of the tokens


def cautions(task: Task, checkpoint: Checkpoint) -> Iterator[str]:
    """Warnings, most important first."""
    kind = task.kind
    units = len(units_of(task.validation.texts, kind.unit).first)
    if units < FEW_ROWS:
        more = kind.unit if kind.is_taught else f"labelled {kind.unit}"
        yield (
            f"only {units} validation {kind.unit}: {kind.resolution(units)}. Smaller losses cannot be seen; "
            f"more {more} help."
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
