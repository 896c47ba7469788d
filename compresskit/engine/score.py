"""Logits of a graph in ONNX Runtime, for rows that are encoded but not padded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
from onnx import ModelProto

from compresskit.bundle.batching import InputRow, run_rows
from compresskit.bundle.session import make_session
from compresskit.target.base import SessionSettings


def logits_of(
    model: ModelProto | bytes | Path | str,
    rows: Sequence[InputRow],
    session: SessionSettings | None = None,
    *,
    pad_id: int = 0,
    batch_size: int = 32,
    provider: str = "cpu",
    threads: int | None = None,
) -> npt.NDArray[Any]:
    """Logits of shape (rows, labels), in the rows' order, whatever order they run in.

    A row holds `input_ids` and, where its tokenizer gives them, `token_type_ids`. EngineError when
    ONNX Runtime does not load the graph.
    """
    source = model.SerializeToString() if isinstance(model, ModelProto) else model
    running = make_session(source, session, provider=provider, threads=threads)
    return run_rows(running, rows, pad_id=pad_id, batch_size=batch_size)
