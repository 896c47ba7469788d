"""Encoded rows as padded batches, and the outputs of a session back in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.display import UNCOUNTED, Counter
from compresskit.inputs import TEXT, InputSpec, Row, in_order


def batches(rows: Sequence[Row], batch_size: int, inputs: InputSpec = TEXT) -> Iterator[list[int]]:
    """Row numbers of batches of similar lengths, the longest first."""
    order = sorted(range(len(rows)), key=lambda i: -inputs.length(rows[i]))
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def run_rows(
    session: Any,
    rows: Sequence[Row],
    *,
    inputs: InputSpec = TEXT,
    batch_size: int = 32,
    counter: Counter = UNCOUNTED,
) -> npt.NDArray[Any]:
    """Logits (rows, ...) of an ONNX Runtime session, in the rows' order: see `in_order`.

    `counter` hears of rows.
    """
    names = [item.name for item in session.get_inputs()]
    if not rows:
        shape = next(item.shape for item in session.get_outputs() if item.name == "logits")
        return np.empty((0, *(size if isinstance(size, int) else 0 for size in shape[1:])), np.float32)
    order: list[int] = []
    parts = []
    for chunk in batches(rows, batch_size, inputs):
        parts.append(session.run(["logits"], inputs.batch([rows[i] for i in chunk], names))[0])
        order += chunk
        counter.advance(len(chunk))
    return in_order(parts, order, inputs.lengths(rows))
