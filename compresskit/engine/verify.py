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

from compresskit.bundle.batching import InputRow, batches, feed_of, run_rows
from compresskit.bundle.session import make_session
from compresskit.display import UNCOUNTED, Counter
from compresskit.engine.export import input_names_of
from compresskit.errors import EngineError
from compresskit.target.base import SessionSettings

TOLERANCE = 1e-4
CONTRIB = "com.microsoft"


class Verified(NamedTuple):
    """Logits (rows, labels) of a graph in ONNX Runtime, and how far at most they are from PyTorch's."""

    difference: float
    logits: npt.NDArray[Any]


def verify(
    graph: ModelProto,
    model: nn.Module,
    rows: Sequence[InputRow],
    session: SessionSettings | None = None,
    *,
    exact: bool = True,
    tolerance: float = TOLERANCE,
    pad_id: int = 0,
) -> Verified:
    """The logits of a graph in ONNX Runtime beside those of its PyTorch model, over all rows.

    Checked as well: onnx.checker; the shortest and the longest row alone; that padding changes
    nothing; finite logits. EngineError above `tolerance`, unless the graph is not `exact`
    (a reduced precision), for which finite logits of the right shape are all that can be asked.
    """
    check_model(graph)
    running = make_session(graph.SerializeToString(), session)
    return verify_session(running, model, rows, exact=exact, tolerance=tolerance, pad_id=pad_id)


def verify_session(
    running: Any,
    model: nn.Module,
    rows: Sequence[InputRow],
    *,
    exact: bool = True,
    tolerance: float = TOLERANCE,
    pad_id: int = 0,
    counter: Counter = UNCOUNTED,
) -> Verified:
    """As `verify`, for the ONNX Runtime session of a graph that was checked.

    `counter` hears of each row twice: of the session's and of PyTorch's.
    """
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    found = run_rows(running, rows, pad_id=pad_id, counter=counter)
    if not np.isfinite(found).all():
        raise EngineError("the engine's logits are not finite on the given texts.")
    wanted = torch_logits(model, rows, pad_id=pad_id, counter=counter)
    if found.shape != wanted.shape:
        raise EngineError(f"the engine gives logits of shape {found.shape}, PyTorch {wanted.shape}.")
    difference = float(np.abs(found - wanted).max())
    if not exact:
        return Verified(difference, found)
    _within(difference, tolerance, f"{len(rows)} texts")
    for i in (order[0], order[-1]):
        alone = run_rows(running, [rows[i]], pad_id=pad_id)[0]
        what = f"a text of {len(rows[i]['input_ids'])} tokens alone"
        _within(float(np.abs(alone - wanted[i]).max()), tolerance, what)
    padded = _padded(rows[order[0]], len(rows[order[-1]]["input_ids"]), pad_id)
    _within(
        float(np.abs(run_rows(running, [padded], pad_id=pad_id)[0] - wanted[order[0]]).max()),
        tolerance,
        "a padded text",
    )
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
    rows: Sequence[InputRow],
    *,
    pad_id: int = 0,
    batch_size: int = 32,
    counter: Counter = UNCOUNTED,
) -> npt.NDArray[Any]:
    """Logits (rows, labels) of the PyTorch model, in evaluation mode."""
    names = input_names_of(model)
    device = next(model.parameters()).device
    parts: dict[int, npt.NDArray[Any]] = {}
    model.eval()
    with torch.inference_mode():
        for chunk in batches(rows, batch_size):
            feed = feed_of([rows[i] for i in chunk], names, pad_id)
            inputs = {name: torch.from_numpy(value).to(device) for name, value in feed.items()}
            logits = model(**inputs).logits.float().cpu().numpy()
            parts.update(zip(chunk, logits, strict=True))
            counter.advance(len(chunk))
    return np.stack([parts[i] for i in range(len(rows))])


def _within(difference: float, tolerance: float, what: str) -> None:
    if not difference <= tolerance:
        raise EngineError(
            f"the engine differs from PyTorch by {difference:.1e} on {what}; at most {tolerance:.0e} is "
            "permitted, so nothing was written. Please report the model and the versions that "
            "`compresskit doctor` prints."
        )


def _padded(row: InputRow, length: int, pad_id: int) -> InputRow:
    size = len(row["input_ids"])
    return {
        name: [*values, *([pad_id if name == "input_ids" else 0] * (length - size))]
        for name, values in {**row, "attention_mask": [1] * size}.items()
    }
