"""What a user should know about data and checkpoint before a long training."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from compresskit.data.containment import contained
from compresskit.data.units import units_of
from compresskit.inputs import TOKEN_IDS
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
    reads_text = kind.reads == TOKEN_IDS
    unknown = _unknown_share(task, checkpoint.reader.unk_token_id) if reads_text else 0.0
    if unknown > MUCH_UNKNOWN:
        yield (
            f"{unknown:.0%} of the tokens of the texts are unknown to the tokenizer "
            f"({checkpoint.reader.unk_token}): is it the model's own, and of the language of the data?"
        )
    yield from _seen_by_judges(task)


def _seen_by_judges(task: Task) -> Iterator[str]:
    """Texts of judges that the model learns from: what a model saw it does better."""
    if not task.judges:
        return
    judged = {name: each.split.raw for name, each in task.judges.items()}
    train = (text for row in task.train.texts for text in row)
    seen = iter(contained([text for texts in judged.values() for text in texts], train))
    for name, texts in judged.items():
        if count := sum(islice(seen, len(texts))):
            yield (
                f"{count:,} of {len(texts):,} texts of judge {name} stand in training texts, so it may be "
                "too kind"
            )


def _unknown_share(task: Task, unknown: int | None) -> float:
    ids = [token for row in task.search.encoded for token in task.inputs.flat(row)]
    return 0.0 if unknown is None else ids.count(unknown) / max(len(ids), 1)
