"""What makes the searches of tests quick.

Models of one kind are traced once, three forms of graphs are compared, and bursts of runs are short.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from onnx import ModelProto

from compresskit.engine import export
from compresskit.engine.variants import variant_named
from compresskit.pipeline.evaluation import variant_choice
from compresskit.target import runner, timer

FORMS = tuple(map(variant_named, ("plain", "first-token", "first-token-packed")))
SHORTER = 10  # a graph of these tests takes some 0.05 ms
_traced: dict[tuple[Any, ...], ModelProto] = {}
_trace = export._trace


def traced_once(model: Any, *given: Any) -> ModelProto:
    """As `export._trace`: one graph for models of the same modules, whose weights are of the same shapes."""
    shapes = tuple((name, *value.shape) for name, value in model.named_parameters())
    key = tuple(map(type, model.modules())), model.config.to_json_string(), shapes
    if key not in _traced:
        _traced[key] = _trace(model, *given)
    return deepcopy(_traced[key])


@contextmanager
def quickened() -> Iterator[None]:
    gc.freeze()  # each training collects garbage, also among all that was imported
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "_trace", traced_once)
        patch.setattr(variant_choice, "VARIANTS", FORMS)
        for name in ("_BURST_MS", "_REFERENCE_MS", "_SETTLE_MS", "_LEVEL_MS"):
            patch.setattr(timer, name, getattr(timer, name) / SHORTER)
        patch.setattr(runner, "_BLOCK_MS", runner._BLOCK_MS / SHORTER)
        yield
