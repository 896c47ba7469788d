from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, numpy_helper

from compresskit.engine.quantize import to_precision
from compresskit.engine.score import logits_of
from compresskit.engine.verify import check_model, verify
from compresskit.errors import EngineError
from tests.engine.models import make_rows


def test_an_equal_graph_passes(exported: Callable[[str], Any]) -> None:
    made = exported("bert")
    found = verify(made.plain, made.model, make_rows())
    assert 0 < found.difference < 1e-5
    np.testing.assert_array_equal(found.logits, logits_of(made.plain, make_rows()))


def test_a_changed_weight_is_found(exported: Callable[[str], Any]) -> None:
    made = exported("bert")
    graph = copy.deepcopy(made.plain)
    _change(graph, "bert.encoder.layer.1.intermediate.dense.bias", 0.1)
    with pytest.raises(EngineError, match=r"differs from PyTorch by .* nothing was written"):
        verify(graph, made.model, make_rows())


def test_a_graph_that_reads_padding_is_found(exported: Callable[[str], Any]) -> None:
    made = exported("bert")
    graph = copy.deepcopy(made.plain)
    _change(graph, "mask_factor", 10000.0)  # padding is masked no more
    rows = make_rows((9, 9))
    with pytest.raises(EngineError, match="differs from PyTorch"):
        verify(graph, made.model, [*rows, *make_rows((4,))])


def test_logits_that_are_not_finite_are_found(exported: Callable[[str], Any]) -> None:
    made = exported("bert")
    graph = copy.deepcopy(made.plain)
    _change(graph, "classifier.bias", np.nan)
    with pytest.raises(EngineError, match="not finite"):
        verify(graph, made.model, make_rows(), exact=False)


def test_a_reduced_precision_may_differ(exported: Callable[[str], Any]) -> None:
    made, rows = exported("bert"), make_rows()
    quantized = to_precision(copy.deepcopy(made.plain), "int8")
    assert verify(quantized, made.model, rows, exact=False).difference > 1e-4
    with pytest.raises(EngineError, match="differs"):
        verify(quantized, made.model, rows)


def test_invalid_onnx_is_named_as_such(exported: Callable[[str], Any]) -> None:
    graph = copy.deepcopy(exported("bert").plain)
    graph.graph.node[0].op_type = "Nonsense"
    with pytest.raises(EngineError, match=r"not valid ONNX.*Nonsense"):
        check_model(graph)


def _change(graph: ModelProto, name: str, amount: float) -> None:
    item = next(item for item in graph.graph.initializer if item.name == name)
    item.CopyFrom(numpy_helper.from_array(np.asarray(numpy_helper.to_array(item) + amount, np.float32), name))
