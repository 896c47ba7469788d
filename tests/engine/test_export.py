from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import transposed_weights
from compresskit.engine.score import logits_of
from compresskit.engine.verify import torch_logits
from tests.engine.models import make_model, make_rows


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "roberta", "modernbert"])
def test_graph_equals_torch(exported: Callable[[str], Any], model_type: str) -> None:
    made = exported(model_type)
    onnx.checker.check_model(made.plain, full_check=True)
    rows = make_rows()
    np.testing.assert_allclose(logits_of(made.plain, rows), torch_logits(made.model, rows), rtol=0, atol=1e-5)


@pytest.mark.parametrize("model_type", ["bert", "distilbert", "modernbert"])
def test_every_weight_bears_its_torch_name(exported: Callable[[str], Any], model_type: str) -> None:
    made = exported(model_type)
    found = {item.name: numpy_helper.to_array(item) for item in made.plain.graph.initializer}
    transposed = transposed_weights(made.plain)
    parameters = dict(made.model.named_parameters())
    assert transposed < set(parameters)
    for name, value in parameters.items():
        wanted = value.detach().numpy()
        np.testing.assert_array_equal(found[name], wanted.T if name in transposed else wanted)


def test_inputs_are_dynamic_and_named(exported: Callable[[str], Any]) -> None:
    graph = exported("bert").plain.graph
    assert [item.name for item in graph.input] == ["input_ids", "attention_mask", "token_type_ids"]
    for item in graph.input:
        assert [dim.dim_param for dim in item.type.tensor_type.shape.dim] == ["batch", "length"]
    assert [item.name for item in graph.output] == ["logits"]
    assert [item.name for item in exported("roberta").plain.graph.input] == ["input_ids", "attention_mask"]


def test_graph_is_portable(exported: Callable[[str], Any]) -> None:
    plain = exported("bert").plain
    assert [(item.domain, item.version) for item in plain.opset_import] == [("", 20)]
    assert plain.ir_version <= 9
    assert not any(item.external_data for item in plain.graph.initializer)


def test_equal_and_zero_parameters_stay_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """A fresh model has biases of zero and equal norms, which the exporter would merge and drop."""
    model = make_model("bert")
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("bias"):
                value.zero_()
    plain = export_onnx(model)
    names = {item.name for item in plain.graph.initializer}
    assert {name for name, _ in model.named_parameters()} <= names
    assert capsys.readouterr().out == ""
    rows = make_rows()
    np.testing.assert_allclose(logits_of(plain, rows), torch_logits(model, rows), rtol=0, atol=1e-5)
