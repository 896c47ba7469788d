"""Names of what models and their graphs give, and which of it a task is scored by. numpy only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# Of classes, numbers or tags; of a text's vector; of the first and last token of an answer.
LOGITS, EMBEDDING, START, END = "logits", "sentence_embedding", "start_logits", "end_logits"
HIDDEN = "last_hidden_state"
_SCORED = ((LOGITS,), (EMBEDDING,), (START, END))


def scored(names: Collection[str]) -> tuple[str, ...]:
    """The outputs that a task is scored by, of those of a model or graph; the first where none is known."""
    found = (wanted for wanted in _SCORED if set(wanted) <= set(names))
    return next(found, tuple(names)[:1])


def joined(values: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """`scored` outputs as one array: several of (batch, length) are (batch, length, outputs)."""
    return values[0] if len(values) == 1 else np.stack(values, axis=-1)
