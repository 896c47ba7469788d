"""Encoded texts as padded batches, and their logits back in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.display import UNCOUNTED, Counter

InputRow = Mapping[str, Sequence[int]]  # `input_ids`, perhaps `token_type_ids`
Feed = dict[str, npt.NDArray[np.int64]]


def feed_of(rows: Sequence[InputRow], names: Sequence[str], pad_id: int = 0) -> Feed:
    """Inputs of shape (rows, longest row): padded at the end, masked there, segments 0 by default."""
    longest = max(len(row["input_ids"]) for row in rows)
    shape = (len(rows), longest)
    feed: Feed = {name: np.zeros(shape, dtype=np.int64) for name in names}
    feed["input_ids"] = np.full(shape, pad_id, dtype=np.int64)
    for i, row in enumerate(rows):
        size = len(row["input_ids"])
        feed["input_ids"][i, :size] = row["input_ids"]
        if "attention_mask" in feed:
            feed["attention_mask"][i, :size] = row.get("attention_mask", (1,) * size)
        if "token_type_ids" in feed and "token_type_ids" in row:
            feed["token_type_ids"][i, :size] = row["token_type_ids"]
    return feed


def batches(rows: Sequence[InputRow], batch_size: int) -> Iterator[list[int]]:
    """Row numbers of batches of similar lengths, the longest first."""
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i]["input_ids"]))
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def run_rows(
    session: Any,
    rows: Sequence[InputRow],
    *,
    pad_id: int = 0,
    batch_size: int = 32,
    counter: Counter = UNCOUNTED,
) -> npt.NDArray[Any]:
    """Logits (rows, labels) of an ONNX Runtime session, in the rows' order; `counter` hears of rows."""
    names = [item.name for item in session.get_inputs()]
    if not rows:
        labels = next(item.shape[-1] for item in session.get_outputs() if item.name == "logits")
        return np.empty((0, labels), dtype=np.float32)
    found: npt.NDArray[Any] | None = None
    for chunk in batches(rows, batch_size):
        feed = feed_of([rows[i] for i in chunk], names, pad_id)
        logits = session.run(["logits"], feed)[0]
        if found is None:
            found = np.empty((len(rows), logits.shape[1]), dtype=np.float32)
        found[chunk] = logits
        counter.advance(len(chunk))
    assert found is not None
    return found
