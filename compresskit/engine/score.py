"""Logits of a graph in ONNX Runtime, for rows that are encoded but not padded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
from onnx import ModelProto

from compresskit.bundle.batching import run_rows
from compresskit.bundle.session import make_session
from compresskit.inputs import TEXT, InputSpec, Row
from compresskit.target.base import SessionSettings


def logits_of(
    model: ModelProto | bytes | Path | str,
    rows: Sequence[Row],
    session: SessionSettings | None = None,
    *,
    inputs: InputSpec = TEXT,
    batch_size: int = 32,
    provider: str = "cpu",
) -> npt.NDArray[Any]:
    """Logits (rows, ...), in the rows' order, whatever order they run in.

    EngineError when ONNX Runtime does not load the graph.
    """
    source = model.SerializeToString() if isinstance(model, ModelProto) else model
    running = make_session(source, session, provider=provider)
    return run_rows(running, rows, inputs=inputs, batch_size=batch_size)
