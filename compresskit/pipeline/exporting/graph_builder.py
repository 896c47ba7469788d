"""One point's graph in any precision, made from its plain graph."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

from onnx import ModelProto

from compresskit.blocks import BlockPlan
from compresskit.engine.calibrate import Ranges, activation_ranges
from compresskit.engine.embeddings import compress_embeddings
from compresskit.engine.quantize import to_dynamic_int8, to_precision, to_static_int8
from compresskit.engine.sensitivity import PartlyQuantized, Quantizer
from compresskit.engine.variants import Variant, variant_named
from compresskit.inputs import TEXT, InputSpec, Row

PLAIN = variant_named("plain")


@dataclass(frozen=True, eq=False)
class Made:
    """A graph that can be shipped: the modules in `float_layers` were kept out of its int8."""

    graph: ModelProto
    precision: str
    variant: Variant
    float_layers: tuple[str, ...] = ()


class GraphBuilder:
    """Makes the graphs of one point; `plain` is its plain graph in fp32 and stays as it is.

    `variant_for` names the form for a precision, `calibration` are training rows for the ranges of
    static int8. The matrices of `blocks` are stored in blocks; `embeddings` is the precision of the table
    of words in all graphs made.
    """

    def __init__(
        self,
        plain: ModelProto,
        variant_for: Callable[[str], Variant],
        calibration: Sequence[Row],
        *,
        blocks: BlockPlan | None = None,
        embeddings: str = "fp32",
        provider: str = "cpu",
        inputs: InputSpec = TEXT,
    ) -> None:
        self.plain = plain
        self.variant_for = variant_for
        self.blocks = blocks
        self._calibration = calibration
        self._embeddings = embeddings
        self._symmetric = provider == "tensorrt"
        self._inputs = inputs
        self._ranges: dict[str, Ranges] = {}

    def in_float(self, variant: Variant) -> ModelProto:
        """The graph in fp32 in a variant, embeddings as they are."""
        return variant.apply(deepcopy(self.plain), self.blocks)

    def make(self, precision: str, variant: Variant | None = None) -> Made:
        """The whole graph in a precision, in the form that is fastest for it unless `variant` says."""
        variant = variant or self.variant_for(precision)
        graph = self.in_float(variant)
        if precision in ("int8", "int8-static"):
            graph = self.quantizer(precision, variant)(graph, ())
        else:
            graph = to_precision(graph, precision)
        return Made(self.finished(graph), precision, variant)

    def remade(self, made: Made, partly: PartlyQuantized) -> Made:
        """`made` with the graph that keeps its most sensitive layers in float."""
        names = tuple(group.name for group in partly.float_groups)
        return replace(made, graph=self.finished(partly.graph), float_layers=names)

    def quantizer(self, precision: str, variant: Variant) -> Quantizer:
        """Brings a float graph of `variant` into an int8 precision, but for the weights named."""
        if precision == "int8":
            return lambda graph, keep: to_dynamic_int8(graph, keep_float=keep)
        if variant.name not in self._ranges:
            graph = self.in_float(variant)
            self._ranges[variant.name] = activation_ranges(graph, self._calibration, inputs=self._inputs)
        ranges = self._ranges[variant.name]

        def quantize(graph: ModelProto, keep: Collection[str]) -> ModelProto:
            return to_static_int8(graph, ranges, keep_float=keep, symmetric=self._symmetric)

        return quantize

    def finished(self, graph: ModelProto) -> ModelProto:
        """The graph with its embeddings in the precision asked for, in place."""
        return compress_embeddings(graph, self._embeddings)
