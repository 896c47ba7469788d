"""Proof that a graph computes what its PyTorch model computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import ModelProto
from torch import nn

from compresskit.bundle.batching import batches, run_rows
from compresskit.bundle.session import make_session
from compresskit.display import UNCOUNTED, Counter
from compresskit.engine.export import input_names_of
from compresskit.errors import EngineError
from compresskit.inputs import TEXT, InputSpec, Row, in_order
from compresskit.outputs import joined, scored
from compresskit.supernet.batching import batch_of
from compresskit.supernet.output import said
from compresskit.target.base import SessionSettings

TOLERANCE = 1e-4
CONTRIB = "com.microsoft"


class Verified(NamedTuple):
    """Logits (rows, ...) of a graph in ONNX Runtime, and how far at most they are from PyTorch's."""

    difference: float
    logits: npt.NDArray[Any]


def verify(
    graph: ModelProto,
    model: nn.Module,
    rows: Sequence[Row],
    session: SessionSettings | None = None,
    *,
    exact: bool = True,
    inputs: InputSpec = TEXT,
) -> Verified:
    """The logits of a graph in ONNX Runtime beside those of its PyTorch model, over all rows.

    Checked as well: onnx.checker; the shortest and the longest row alone; that padding changes
    nothing; finite logits. EngineError above TOLERANCE, unless the graph is not `exact`
    (a reduced precision), for which finite logits of the right shape are all that can be asked.
    """
    check_model(graph)
    running = make_session(graph.SerializeToString(), session)
    return verify_session(running, model, rows, exact=exact, inputs=inputs)


def verify_session(
    running: Any,
    model: nn.Module,
    rows: Sequence[Row],
    *,
    exact: bool = True,
    inputs: InputSpec = TEXT,
    counter: Counter = UNCOUNTED,
) -> Verified:
    """As `verify`, for the ONNX Runtime session of a graph that was checked.

    `counter` hears of each row twice: of the session's and of PyTorch's.
    """
    order = sorted(range(len(rows)), key=lambda i: inputs.length(rows[i]))
    found = run_rows(running, rows, inputs=inputs, counter=counter)
    if not np.isfinite(found).all():
        raise EngineError("the engine's logits are not finite on the given rows.")
    wanted = torch_logits(model, rows, inputs=inputs, counter=counter)
    if found.shape != wanted.shape:
        raise EngineError(f"the engine gives logits of shape {found.shape}, PyTorch {wanted.shape}.")
    difference = float(np.abs(found - wanted).max())
    if not exact:
        return Verified(difference, found)
    _within(difference, f"{len(rows)} rows")
    for i in (order[0], order[-1]):
        alone = run_rows(running, [rows[i]], inputs=inputs)[0]
        _within(_apart(alone, wanted[i]), f"a row of {inputs.length(rows[i])} tokens alone")
    short, long = rows[order[0]], rows[order[-1]]
    names = [item.name for item in running.get_inputs()]
    asked = scored([item.name for item in running.get_outputs()])
    padded = joined(running.run(list(asked), inputs.batch([short], names, length=inputs.length(long))))[0]
    padded = padded[: inputs.length(short)] if padded.ndim > 1 else padded
    _within(_apart(padded, wanted[order[0]]), "a padded row")
    return Verified(difference, found)


def check_model(graph: ModelProto) -> None:
    """onnx.checker, as far as it knows the operators; EngineError with its reason."""
    try:
        # It has no schemas for com.microsoft and takes unknown domains as they are.
        onnx.checker.check_model(graph)
    except onnx.checker.ValidationError as error:
        raise EngineError(f"the graph is not valid ONNX: {str(error).splitlines()[0]}") from error


def torch_logits(
    model: nn.Module,
    rows: Sequence[Row],
    *,
    inputs: InputSpec = TEXT,
    batch_size: int = 32,
    counter: Counter = UNCOUNTED,
) -> npt.NDArray[Any]:
    """Logits (rows, ...) of the PyTorch model, in evaluation mode: see `in_order`."""
    names = input_names_of(model)
    device = next(model.parameters()).device
    parts: list[npt.NDArray[Any]] = []
    order: list[int] = []
    model.eval()
    with torch.inference_mode():
        for chunk in batches(rows, batch_size, inputs):
            batch = batch_of(inputs, [rows[i] for i in chunk], names=names)
            output = model(**{name: value.to(device) for name, value in batch.items()})
            parts.append(said(output).float().cpu().numpy())
            order += chunk
            counter.advance(len(chunk))
    return in_order(parts, order, inputs.lengths(rows))


def _within(difference: float, what: str) -> None:
    if not difference <= TOLERANCE:
        raise EngineError(
            f"the engine differs from PyTorch by {difference:.1e} on {what}; at most {TOLERANCE:.0e} is "
            "permitted, so nothing was written. Please report the model and the versions that "
            "`compresskit doctor` prints."
        )


def _apart(found: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> float:
    """The largest difference of one row's logits; `wanted` may be padded."""
    return float(np.abs(found - wanted[tuple(map(slice, found.shape))]).max())
