from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, numpy_helper

from compresskit.engine.count import count_params
from compresskit.engine.embeddings import compress_embeddings
from compresskit.engine.quantize import to_precision
from compresskit.engine.score import logits_of
from compresskit.engine.verify import torch_logits
from compresskit.errors import ConfigurationError, EngineError
from tests.engine.models import make_rows

TABLE = "bert.embeddings.word_embeddings.weight"


def table_of(plain: ModelProto) -> np.ndarray[Any, Any]:
    return np.asarray(numpy_helper.to_array(next(i for i in plain.graph.initializer if i.name == TABLE)))


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_logits_are_those_of_a_model_with_the_rounded_table(
    exported: Callable[[str], Any], precision: str
) -> None:
    made, rows = exported("bert"), make_rows()
    table = table_of(made.plain)
    if precision == "fp16":
        rounded = table.astype(np.float16).astype(np.float32)
    else:
        scale = np.abs(table).max(axis=1, keepdims=True) / 127
        rounded = np.round(table / scale) * scale
        assert np.abs(rounded - table).max() <= scale.max() / 2 + 1e-7
    graph = compress_embeddings(copy.deepcopy(made.plain), precision)
    onnx.checker.check_model(graph, full_check=True)
    model = copy.deepcopy(made.model)
    import torch

    model.get_parameter(TABLE).data.copy_(torch.from_numpy(rounded))
    found = logits_of(graph, rows)
    np.testing.assert_allclose(found, torch_logits(model, rows), rtol=0, atol=1e-5)
    assert not np.array_equal(found, logits_of(made.plain, rows))


@pytest.mark.parametrize(("precision", "bytes_each"), [("fp16", 2), ("int8", 1)])
def test_the_table_shrinks_and_no_parameter_is_lost(
    exported: Callable[[str], Any], precision: str, bytes_each: int
) -> None:
    plain = exported("bert").plain
    rows, width = table_of(plain).shape
    graph = compress_embeddings(copy.deepcopy(plain), precision)
    stored = {item.name: len(item.raw_data) for item in graph.graph.initializer}
    assert TABLE not in stored
    assert rows * width * bytes_each in stored.values()
    assert count_params(graph) == count_params(plain)


def test_every_precision_takes_them(exported: Callable[[str], Any]) -> None:
    rows = make_rows()
    for precision in ("fp16", "int8"):
        wanted = logits_of(to_precision(copy.deepcopy(exported("bert").plain), precision), rows)
        for embeddings in ("fp32", "fp16", "int8"):
            graph = to_precision(copy.deepcopy(exported("bert").plain), precision)
            found = logits_of(compress_embeddings(graph, embeddings), rows)
            assert np.abs(found - wanted).max() < 0.25 * np.abs(wanted).std() + 0.1


def test_what_cannot_be_done_is_said(exported: Callable[[str], Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"'int4'.*fp16, fp32, int8"):
        compress_embeddings(copy.deepcopy(exported("bert").plain), "int4")
    graph = copy.deepcopy(exported("bert").plain)
    del graph.graph.node[:]
    with pytest.raises(EngineError, match="no table of word embeddings"):
        compress_embeddings(graph, "int8")
