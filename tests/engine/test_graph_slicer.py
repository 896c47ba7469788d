from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest

from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.engine.score import logits_of
from compresskit.engine.verify import torch_logits
from compresskit.errors import EngineError
from compresskit.pruning.extract import extract
from tests.engine.models import ARCHITECTURES, make_rows


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("model_type", ["bert", "distilbert", "roberta", "modernbert"])
def test_slice_equals_the_pruned_model(exported: Callable[[str], Any], model_type: str, name: str) -> None:
    made, architecture = exported(model_type), ARCHITECTURES[name]
    sliced = made.slicer.slice(architecture)
    onnx.checker.check_model(sliced, full_check=True)
    rows = make_rows()
    wanted = torch_logits(extract(made.model, architecture), rows)
    np.testing.assert_allclose(logits_of(sliced, rows), wanted, rtol=0, atol=1e-5)
    shapes = {item.name: tuple(item.dims) for item in sliced.graph.initializer}
    for parameter, shape in made.blueprint.plan(architecture).shapes(made.blueprint.shapes).items():
        assert shapes[parameter] in (shape, shape[::-1])


@pytest.mark.parametrize(
    ("model_type", "name"),
    [
        ("bert", "irregular"),
        *((model_type, "without parts") for model_type in ("bert", "distilbert", "modernbert")),
    ],
)
def test_slice_has_the_operators_of_a_fresh_export(
    exported: Callable[[str], Any], model_type: str, name: str
) -> None:
    made = exported(model_type)
    sliced = made.slicer.slice(ARCHITECTURES[name]).graph
    fresh = export_onnx(extract(made.model, ARCHITECTURES[name])).graph
    assert Counter(node.op_type for node in sliced.node) == Counter(node.op_type for node in fresh.node)
    weights = [
        {item.name: list(item.dims) for item in graph.initializer if item.name.endswith((".weight", ".bias"))}
        for graph in (sliced, fresh)
    ]
    assert weights[0] == weights[1]
    dims = [Counter(tuple(item.dims) for item in graph.initializer) for graph in (sliced, fresh)]
    assert dims[0] == dims[1]


@pytest.mark.parametrize("name", ["full", "irregular", "without parts"])
def test_a_light_slice_is_the_same_graph(
    exported: Callable[[str], Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compresskit.engine.graph_slicer.APART_BYTES", 1000)
    slicer = exported("bert").slicer
    light, whole = slicer.slice_light(ARCHITECTURES[name]), slicer.slice(ARCHITECTURES[name])
    assert any("embeddings" in weight for weight in light.weights)
    assert not any("query" in weight for weight in light.weights)
    assert light.whole() == whole
    assert light.size_bytes == pytest.approx(whole.ByteSize(), abs=1000)


def test_slicing_leaves_the_dense_graph_alone(exported: Callable[[str], Any]) -> None:
    made = exported("bert")
    before = made.plain.SerializeToString(deterministic=True)
    made.slicer.slice(ARCHITECTURES["without parts"])
    assert made.plain.SerializeToString(deterministic=True) == before


def test_a_pruned_graph_is_refused(exported: Callable[[str], Any]) -> None:
    made = exported("bert")
    pruned = made.slicer.slice(ARCHITECTURES["irregular"])
    with pytest.raises(EngineError, match="lacks parameter"):
        GraphSlicer(pruned, made.blueprint)
