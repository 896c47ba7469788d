"""Candidates cut from one exported graph, without tracing a model again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper, numpy_helper

from compresskit.architecture import Architecture
from compresskit.engine.editing import live_nodes
from compresskit.engine.residual import ResidualStream
from compresskit.errors import EngineError
from compresskit.families import Blueprint
from compresskit.slicing import Cut, Index
from compresskit.target.external_weights import APART_BYTES, LightGraph

Array = npt.NDArray[Any]


class _Stored:
    """An initializer of the dense graph: its bytes, held once, and an array that looks at them."""

    def __init__(self, item: TensorProto) -> None:
        self.data_type = item.data_type
        value = numpy_helper.to_array(item)
        self.raw: bytes = item.raw_data if item.HasField("raw_data") else value.tobytes()
        self.value: Array = np.frombuffer(self.raw, dtype=value.dtype).reshape(value.shape)


class GraphSlicer:
    """Cuts the plain graph of a dense model (see `export_onnx`) down to an architecture.

    Names, sizes and weights follow `blueprint.plan`, the plan that training and pruning use, so
    the result equals a fresh export of the pruned model, operator by operator.
    Raises EngineError when the graph is not one of the blueprint's model, NotCutError when its blocks are
    not found.
    """

    def __init__(self, dense: ModelProto, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.dense = dense
        self._nodes = list(dense.graph.node)
        self._outputs = [item.name for item in dense.graph.output]
        self._frame = _without_body(dense)
        self._stored = {item.name: _Stored(item) for item in dense.graph.initializer}
        self._transposed = transposed_weights(dense)
        self._packed = tuple(f".{module}.weight" for module in blueprint.family.attention.reads)
        missing = sorted(set(blueprint.shapes) - set(self._stored))
        if missing:
            raise EngineError(
                f"the graph lacks parameter {missing[0]!r} ({len(missing)} missing); "
                "slice the graph that export_onnx makes of the dense model itself."
            )
        stream = ResidualStream(self._nodes, blueprint.family)
        self._sub_layers = [stream.sub_layers(layer) for layer in range(blueprint.dims.num_layers)]

    @property
    def full(self) -> Architecture:
        """The architecture that keeps everything."""
        return Architecture.full(self.blueprint.dims)

    def slice(self, architecture: Architecture) -> ModelProto:
        """The graph of `architecture`, with weights cut from the dense graph."""
        return self._slice(architecture, None)

    def slice_light(self, architecture: Architecture) -> LightGraph:
        """As `slice`, with the large weights that no rewrite looks at beside the graph.

        Queries, keys and values stay in it, which some variants pack. To be measured in fp32.
        """
        apart: dict[str, Array] = {}
        return LightGraph(self._slice(architecture, apart), apart)

    def _slice(self, architecture: Architecture, apart: dict[str, Array] | None) -> ModelProto:
        plan = self.blueprint.plan(architecture)
        alias = self._aliases(architecture)
        nodes = [deepcopy(node) for node in self._nodes]
        for node in nodes:
            for i, name in enumerate(node.input):
                if name in alias:
                    node.input[i] = alias[name]
        alive = live_nodes(nodes, self._outputs)
        cuts = {**plan.cuts, **plan.heads}
        renamed = {cut.source: new for new, cut in cuts.items()}
        layers = self._layer_names(architecture)
        used: dict[str, None] = {}
        for node in alive:
            node.name = _renumbered(node.name, layers)
            for i, name in enumerate(node.input):
                if name in self._stored:
                    used[name] = None
                    node.input[i] = renamed.get(name, name)
        model = deepcopy(self._frame)
        model.graph.node.extend(alive)
        for name in used:
            cut = cuts.get(renamed.get(name, ""), Cut(name))
            self._add(model, renamed.get(name, name), cut, apart)
        return model

    def _add(self, model: ModelProto, name: str, cut: Cut, apart: dict[str, Array] | None) -> None:
        stored = self._stored[cut.source]
        tensor = model.graph.initializer.add()
        tensor.name = name
        if cut.is_whole and apart is None:
            tensor.data_type = stored.data_type
            tensor.dims.extend(stored.value.shape)
            tensor.raw_data = stored.raw
            return
        transposed = cut.source in self._transposed
        value = _taken(stored.value, cut.keep[::-1] if transposed else cut.keep)
        tensor.data_type = helper.np_dtype_to_tensor_dtype(value.dtype)
        tensor.dims.extend(value.shape)
        if apart is not None and value.nbytes >= APART_BYTES and not cut.source.endswith(self._packed):
            apart[name] = value
            return
        tensor.raw_data = value.tobytes()  # in C order, whatever the layout

    def _aliases(self, architecture: Architecture) -> dict[str, str]:
        """Output of each absent block -> the value of the residual stream that stands for it."""
        alias: dict[str, str] = {}
        for layer, blocks in zip(architecture.layers, self._sub_layers, strict=True):
            for kind, block in blocks.items():
                if not layer.kept(kind).mask:
                    alias[block.exit] = alias.get(block.entry, block.entry)
        return alias

    def _layer_names(self, architecture: Architecture) -> dict[str, str]:
        stem = self.blueprint.family.stem
        return {f"{stem}.{old}": f"{stem}.{new}" for new, old in enumerate(architecture.kept_layers)}


def _taken(value: Array, keep: Sequence[Index | None]) -> Array:
    """What `Cut.apply` gives; `np.take` walks along the rows as they lie in memory, indexing across them."""
    for axis, index in enumerate(keep):
        if index is None:
            continue
        start = int(index[0]) if len(index) else 0
        if len(index) == 0 or index[-1] - start + 1 == len(index):
            value = value[(slice(None),) * axis + (slice(start, start + len(index)),)]
        else:
            value = np.take(value, index, axis=axis)
    return value


def transposed_weights(model: ModelProto) -> set[str]:
    """Names of weights that the graph stores as (in, out), where torch has (out, in)."""
    initializers = {item.name for item in model.graph.initializer}
    return {
        node.input[1]
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in initializers
    }


def _without_body(model: ModelProto) -> ModelProto:
    frame = ModelProto(
        ir_version=model.ir_version,
        producer_name=model.producer_name,
        opset_import=model.opset_import,
        metadata_props=model.metadata_props,
    )
    frame.graph.name = model.graph.name
    frame.graph.input.extend(model.graph.input)
    frame.graph.output.extend(model.graph.output)
    return frame


def _renumbered(name: str, layers: Mapping[str, str]) -> str:
    """A node's name with the number that its layer has in the sub-network."""
    module, slash, operator = name.partition("/")
    for depth in range(module.count(".") + 1):
        prefix, rest = _split_at(module, depth + 1)
        if prefix in layers:
            return f"{layers[prefix]}{rest}{slash}{operator}"
    return name


def _split_at(module: str, parts: int) -> tuple[str, str]:
    pieces = module.split(".")
    prefix = ".".join(pieces[:parts])
    return prefix, module[len(prefix) :]
