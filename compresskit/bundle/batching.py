"""Encoded rows as padded batches, and the outputs of a session back in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.display import UNCOUNTED, Counter
from compresskit.inputs import TEXT, InputSpec, Row, in_order
from compresskit.outputs import joined, scored


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
    outputs = {item.name: item.shape for item in session.get_outputs()}
    asked = scored(list(outputs))
    if not rows:
        shape = [size if isinstance(size, int) else 0 for size in outputs[asked[0]][1:]]
        return joined([np.empty((0, *shape), np.float32)] * len(asked))
    order: list[int] = []
    parts = []
    for chunk in batches(rows, batch_size, inputs):
        parts.append(joined(session.run(list(asked), inputs.batch([rows[i] for i in chunk], names))))
        order += chunk
        counter.advance(len(chunk))
    return in_order(parts, order, inputs.lengths(rows))
