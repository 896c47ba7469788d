"""What cuts candidates from the exported graph of a super-network, or of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from onnx import ModelProto

from compresskit.architecture import Architecture
from compresskit.display import Display
from compresskit.engine.export import export_onnx
from compresskit.engine.graph_slicer import GraphSlicer
from compresskit.engine.residual import NotCutError
from compresskit.pruning.extract import extract
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.sub_supernets import PartedNetwork
from compresskit.target.external_weights import LightGraph

EXPORT = "exporting the graph"  # as the stage is called


class Slicer(Protocol):
    """Gives the plain graph of any architecture of a super-network."""

    @property
    def full(self) -> Architecture: ...

    def slice(self, architecture: Architecture) -> ModelProto: ...

    def slice_light(self, architecture: Architecture) -> LightGraph: ...


class PartedSlicer(GraphSlicer):
    """Cuts each architecture from the graph of the part that it is a slice of."""

    def __init__(self, supernet: PartedNetwork) -> None:
        graphs = [export_onnx(model) for model in supernet.models]
        super().__init__(graphs[0], supernet.blueprint)
        self._place_of = supernet.place_of
        self._smaller = [GraphSlicer(graph, supernet.blueprint) for graph in graphs[1:]]

    def slice(self, architecture: Architecture) -> ModelProto:
        place = self._place_of(architecture)
        return self._smaller[place - 1].slice(architecture) if place else super().slice(architecture)

    def slice_light(self, architecture: Architecture) -> LightGraph:
        place = self._place_of(architecture)
        return (
            self._smaller[place - 1].slice_light(architecture) if place else super().slice_light(architecture)
        )


class FreshGraphs:
    """Exports each architecture on its own: correct where a graph cannot be cut, but it takes seconds."""

    def __init__(self, supernet: SuperNetwork) -> None:
        self.supernet = supernet

    @property
    def full(self) -> Architecture:
        return self.supernet.full

    def slice(self, architecture: Architecture) -> ModelProto:
        model = self.supernet.model
        if isinstance(self.supernet, PartedNetwork):
            model = self.supernet.models[self.supernet.place_of(architecture)]
        return export_onnx(extract(model, architecture))

    def slice_light(self, architecture: Architecture) -> LightGraph:
        return LightGraph(self.slice(architecture), {})


def needs_weights(precisions: Sequence[str]) -> bool:
    """Whether graphs of these precisions are measured and scored with weights of their own."""
    return set(precisions) != {"fp32"}


def slicer_of(supernet: SuperNetwork, precisions: Sequence[str], display: Display) -> Slicer:
    """For graphs of these precisions: latency in fp32 needs no weights of its own, so one graph serves.

    Where the graph cannot be cut, `display` says so, and each architecture is exported on its own.
    """
    try:
        with display.stage(EXPORT):
            if isinstance(supernet, PartedNetwork) and needs_weights(precisions):
                return PartedSlicer(supernet)
            return GraphSlicer(export_onnx(supernet.model), supernet.blueprint)
    except NotCutError as error:
        display(f"{error} Each candidate is exported on its own: slower, but correct.")
        return FreshGraphs(supernet)
