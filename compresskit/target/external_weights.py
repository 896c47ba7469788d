"""A graph whose large weights stand beside it: no copy into a protobuf, and none out of it again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from onnx import ModelProto

APART_BYTES = 1 << 16  # smaller tensors stay in the graph, where optimizers look at their values

# What is taken over, but for the initializers.
_OF_MODEL = ("ir_version", "producer_name", "opset_import", "functions", "metadata_props")
_OF_GRAPH = ("name", "node", "input", "output", "value_info", "sparse_initializer", "quantization_annotation")

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class LightGraph:
    """`model` has only name, dtype and dimensions of the initializers that are in `weights`."""

    model: ModelProto
    weights: Mapping[str, Array]

    @property
    def size_bytes(self) -> int:
        """What the whole graph takes, but for some bytes a weight."""
        return int(self.model.ByteSize()) + sum(
            self.weights[item.name].nbytes
            for item in self.model.graph.initializer
            if item.name in self.weights
        )

    def whole(self) -> ModelProto:
        """The graph with its weights in it."""
        model = deepcopy(self.model)
        for tensor in model.graph.initializer:
            if tensor.name in self.weights:
                tensor.raw_data = self.weights[tensor.name].tobytes()
        return model


def without_weights(model: ModelProto) -> LightGraph:
    """`model` with its large weights apart, as flat bytes; `model` itself is left alone."""
    from onnx import GraphProto, ModelProto

    graph = GraphProto(**{name: getattr(model.graph, name) for name in _OF_GRAPH})
    light = ModelProto(graph=graph, **{name: getattr(model, name) for name in _OF_MODEL})
    weights = {}
    for tensor in model.graph.initializer:
        # No element takes more than 16 bytes; the data itself is a copy each time it is asked for.
        large = math.prod(tensor.dims) * 16 >= APART_BYTES and tensor.HasField("raw_data")
        data = tensor.raw_data if large else b""
        if len(data) < APART_BYTES:
            light.graph.initializer.append(tensor)
            continue
        light.graph.initializer.add(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        weights[tensor.name] = np.frombuffer(data, np.uint8)
    return LightGraph(light, weights)


def whole_graph(model: bytes | Path | ModelProto | LightGraph) -> ModelProto:
    """A copy of the graph with its weights in it, in whatever form it comes."""
    import onnx

    if isinstance(model, LightGraph):
        return model.whole()
    if isinstance(model, bytes):
        return onnx.load_model_from_string(model)
    if isinstance(model, Path):
        return onnx.load(str(model))
    return deepcopy(model)
