from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from compresskit.display import Lines
from compresskit.engine.score import logits_of
from compresskit.engine.verify import torch_logits
from compresskit.pipeline.evaluation.slicers import FreshGraphs, slicer_of
from compresskit.pruning.extract import extract
from compresskit.supernet.network import SuperNetwork
from tests.engine.models import ARCHITECTURES, make_model, make_rows


class _Watched(nn.Module):
    """What a layer writes, read a second time: a graph with it has no one path to the residual."""

    def __init__(self, inner: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = inner.weight, inner.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        written = nn.functional.linear(x, self.weight, self.bias)
        return written + torch.tanh(written)


def test_a_graph_that_cannot_be_cut_is_exported_anew() -> None:
    model = make_model()
    layer: Any = model.get_submodule("bert.encoder.layer.1.output")
    layer.dense = _Watched(layer.dense)
    said: list[str] = []
    slicer = slicer_of(SuperNetwork(model), ["fp32"], Lines(said.append))
    assert isinstance(slicer, FreshGraphs)
    assert len(said) == 2 and "cannot be cut" in said[1] and "exported on its own" in said[1]
    rows, architecture = make_rows(), ARCHITECTURES["without parts"]
    wanted = torch_logits(extract(model, architecture), rows)
    for graph in (slicer.slice(architecture), slicer.slice_light(architecture).whole()):
        np.testing.assert_allclose(logits_of(graph, rows), wanted, rtol=0, atol=1e-5)
    assert len(slicer.slice(slicer.full).graph.node) > len(slicer.slice(architecture).graph.node)
